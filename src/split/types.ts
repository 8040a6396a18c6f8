import type * as tf from '@tensorflow/tfjs-core';
import type {Concept} from '../concepts/types';
import type {Preset} from '../images/types';
import type {LinearLayer} from '../network/linearLayer';
import type {Model} from '../network/types';

/** Layer inputs of the concepts' images, batch by batch in a fixed order; can be gone through again. */
export interface ConceptInputs {
  /** Images a concept. */
  readonly counts: readonly number[];
  /** `input` is X, [B, H, W, Cin] or [B, Cin]; it is disposed of when the loop goes on. */
  [Symbol.asyncIterator](): AsyncIterator<{concept: number; input: tf.Tensor}>;
}

/** E[x xᵀ] of vectors x. */
export interface SecondMoment {
  /** Length D of x: taps·Cin for patches, ordered [taps, Cin]. */
  size: number;
  /** [D, D], symmetric. */
  matrix: Float32Array;
  /** Vectors that the mean is over. */
  count: number;
}

/** What a rule is given: one channel, the concepts that share it, and what is known of them. */
export interface SplitProblem {
  layer: LinearLayer;
  channel: number;
  /** w of the channel, [taps, Cin]. */
  kernel: Float32Array;
  bias: number;
  /** k ≥ 2 concepts; `arv` is [Cin]. */
  concepts: Concept[];
  /** Layer inputs of the concepts' images; undefined where no images were given. */
  inputs: ConceptInputs | undefined;
  /**
   * E[x xᵀ] over the positions of images of other classes, x being a patch of the layer's input; gathered when a rule asks for it,
   * undefined where there are no such images. @default none
   */
  background?: () => Promise<SecondMoment | undefined>;
  /** −1 where a batch norm behind the layer has a negative scale, so that the channel is active where w·x is negative. @default 1 */
  sign?: 1 | -1;
  /**
   * sign·w·x above which the channel fires: where its bias and a batch norm behind it let it through the activation. @default 0
   */
  fires?: number;
  /** ρ where the user gives it. */
  rho: number | 'auto';
}

/** Scores of the tried ρ. */
export interface RhoChoice {
  rho: number;
  /** Score by ρ; equal source sets have equal scores. */
  scores: {rho: number; score: number}[];
  /** Images whose other parts are zero everywhere: their ratio is only bounded by the 1e-5 in the denominator. */
  zeroDenominators: number;
}

/**
 * How the channel is divided: ownerships λ_j [Cin] in [0, 1], with d_j = λ_j ⊙ w and r = (Σ λ_j − 1)/(k − 1) ⊙ w, or free kernels
 * d_j [taps, Cin] that add up to w (then r = 0). Both keep Σ d_j − (k − 1)·r = w.
 */
export type SplitSolution = ({ownership: Float64Array[]; rho?: RhoChoice} | {kernels: Float64Array[]}) & {
  /** What the rule set from the data, by name, e.g. its scale. */
  chosen?: Readonly<Record<string, number>>;
};

/** A rule that divides a channel's incoming weights among concepts. */
export interface SplitRule {
  readonly name: string;
  /** One sentence: what it does, and when to use it. */
  readonly description: string;
  /** Whether it looks at images; then `problem.inputs` is defined. */
  needsInputs(problem: {rho: number | 'auto'}): boolean;
  solve(problem: SplitProblem): Promise<SplitSolution>;
}

/** A concept as a split records it. */
export interface SplitConcept {
  classes: number[];
  classNames: string[];
  arv: Float64Array;
  /** Paths of its images where it is a cluster found without labels; it then has a name and no classes. */
  images?: string[];
}

/**
 * One channel divided into parts that add up to it: Z_c = Σ_j d_j − (k − 1)·r at every position. Plain data, but for the two
 * models, which it refers to.
 */
export interface Split {
  readonly kind: 'split';
  readonly layer: string;
  readonly channel: number;
  readonly concepts: SplitConcept[];
  readonly rule: string;
  /** Chosen or given ρ, of a rule that has one. */
  readonly rho?: RhoChoice;
  /** λ_j, k arrays [Cin]; undefined for a rule with free kernels. */
  readonly ownership?: Float64Array[];
  /** Source channels that only concept j owns (λ_j = 1 and no other), for hard ownership; ascending. */
  readonly sources: number[][];
  /** Shape of each kernel, [kh, kw, Cin]. */
  readonly kernelShape: [number, number, number];
  /** w, [taps, Cin]. */
  readonly original: Float32Array;
  readonly bias: number;
  /** d_j, k arrays [taps, Cin]. */
  readonly parts: Float32Array[];
  /** r, [taps, Cin]. */
  readonly residue: Float32Array;
  /** Share of zeros among the layer's inputs, in the statistics. */
  readonly zeroInputShare: number;
  /** The preprocessing and label file that the statistics recorded. */
  readonly preset?: Preset;
  readonly labelsFile?: string;
  /** Hash of the concepts' images that the rule was fitted on, see `conceptImagesHash`; undefined where it looked at none. */
  readonly fittedOn?: string;
  /** What was to be doubted when it was made, a sentence each. */
  readonly notes?: readonly string[];
  /** The model before the split; never changed. */
  readonly before: Model;
  /** The model with a channel per concept and the residue, followed by the sum; built on first use. */
  readonly model: Model;
  /** Frees `model`, where it was built. */
  dispose(): void;
  toString(): string;
}
