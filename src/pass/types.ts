import type * as tf from '@tensorflow/tfjs-core';
import type {SafetensorsArray} from '../files/safetensors';
import type {LinearLayer} from '../network/linearLayer';
import type {NetworkAtLayer} from '../network/networkAtLayer';
import type {Model} from '../network/types';

/** One loop over images: what it offers of a batch, and what a collector of such batches is. */

/** Which images per batch holds, [B] each; what of them is on the engine is asked of {@link LayerBatch}. */
export interface BatchImages {
  /** Indices into the list that the pass goes through. */
  indices: readonly number[];
  /** What identifies each. */
  paths: readonly string[];
  /** Class index of each. */
  labels: Int32Array;
  /** 0 or 1: the half that each belongs to, by its path alone. */
  halves: Uint8Array;
}

/**
 * One batch at one layer. Everything is computed when it is first asked for, and nothing that nobody asks for; tensors belong to the
 * pass and end with `measure`.
 */
export interface LayerBatch extends BatchImages {
  readonly network: NetworkAtLayer;
  readonly layer: LinearLayer;
  /** X, [B, H, W, Cin] or [B, Cin] */
  input(): tf.Tensor;
  /** Tensors that pass the layer by. */
  crossing(): tf.Tensor[];
  /** Z, [B, H', W', Cout] */
  output(): tf.Tensor4D;
  /** Logits y, [B, K] */
  logits(): tf.Tensor2D;
  /** ∂y_k/∂Z for each image's own class k, [B, H', W', Cout] */
  gradient(): tf.Tensor4D;
  /** R by the pass's attribution, [B, Cout] */
  relevance(): tf.Tensor2D;
  /** s_c = R_c / Σ_j max(R_j, 0), or 0 where that sum is 0, [B, Cout] row-major; on this side of the engine, to choose by. */
  shares(): Float64Array;
  /** T[tap, i] = Σ X_i over the positions that the tap visits, [B, taps, Cin] */
  inputSums(): tf.Tensor3D;
}

/** What a pass is about, as a collector needs it. */
export interface PassAbout {
  model: Model;
  layer: LinearLayer;
  /** Names of the classes by index, [K]. */
  classNames: readonly string[];
}

/** Values of a batch, row-major. */
export type BatchValues = Float32Array | Int32Array | Uint8Array;

/** A state as files hold it: small fields as JSON, the rest as arrays. */
export interface SavedState {
  fields: Record<string, unknown>;
  arrays: Record<string, {shape: number[]; data: SafetensorsArray['data']}>;
}

/**
 * What is gathered from every batch, as plain functions over a state that is plain data. Sums are float64. Batches, resumed runs and
 * shards add up to the same thing, so `add` and `merge` must not depend on how the list is cut.
 */
export interface Collector<S = unknown, K extends string = string> {
  /** Names the state in a folder and in messages, e.g. `relevance`; parameters that change the state are part of it. */
  readonly name: string;
  init(about: PassAbout): S;
  /** What of a batch is wanted, inside a tidy; the values are brought to `add`. */
  measure(batch: LayerBatch, state: S): Record<K, tf.Tensor>;
  /** Adds a batch in place. */
  add(state: S, batch: BatchImages, values: Record<K, BatchValues>): void;
  /** Adds another state of the same subject in place. */
  merge(into: S, other: S): void;
  save(state: S): SavedState;
  /** @throws InputError for what `save` cannot have written */
  load(saved: SavedState, about: PassAbout): S;
}

/** How much of the target logit each channel is given. Plain data and one function; its name is part of what a run is. */
export interface Attribution {
  /** With every parameter that changes a value, e.g. `integrated gradients (32 steps)`. */
  readonly name: string;
  /** What it costs beside activation × gradient, for help texts. */
  readonly cost: string;
  /** R, [B, Cout], inside a tidy. */
  relevance(batch: LayerBatch): tf.Tensor2D;
}
