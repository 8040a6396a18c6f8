import type * as tf from '@tensorflow/tfjs-core';
import type {Preset} from '../images/types';
import type {Graph} from './graph';

/** A layer that can be analysed: a convolution or a dense layer. */
export interface LayerInfo {
  name: string;
  kind: 'conv' | 'dense';
  /** [kh, kw, Cin, Cout]; a dense layer counts as 1×1. */
  kernel: [number, number, number, number];
  /** Output without the batch axis: [H', W', Cout] or [Cout]. */
  output: number[];
  bias: boolean;
  /** Groups of a grouped convolution: each channel sees Cin / groups of the sources. @default 1 */
  groups?: number;
}

/** A network with one image input and K logits. Its graph is complete (a final softmax or sigmoid included) and never changed. */
export interface Model {
  readonly name: string;
  readonly graph: Graph;
  /** SHA-256 of the function that the graph computes, hexadecimal: the same however its nodes are named, ordered and saved. */
  readonly hash: string;
  /** [H, W, C] */
  readonly inputShape: readonly [number, number, number];
  /** K, the number of logits; 2 of a network with one sigmoid output. */
  readonly classes: number;
  /** Architecture that a checkpoint was loaded as. */
  readonly arch?: string;
  /** The preprocessing that the network was trained with, where known. */
  readonly preset?: Preset;
  readonly classNames?: readonly string[];
  /** Hashes of the models that this one was split from, oldest first; statistics of these fit it too. */
  readonly origins: readonly string[];
  /** Folder or file that it, or the model that it was made from, was loaded from: nothing is written there. */
  readonly source?: string;
  /** What was found out as the network was read and its user should know, in sentences. */
  readonly notes: readonly string[];
  /** Layers that can be analysed, input to output: no depthwise convolutions. */
  layers(): LayerInfo[];
  /** Logits, before any softmax or sigmoid, [B, K], of preprocessed images [B, H, W, C]. The caller disposes of them. */
  logits(images: tf.Tensor4D): tf.Tensor2D;
  dispose(): void;
  toString(): string;
}
