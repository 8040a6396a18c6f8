import type {Summary} from '../numerics/summary';

/** What the parts carry of the original, over the images of one concept that the channel matters for. */
export interface Fractions {
  /** Images that reach τ and have a denominator. */
  images: number;
  /** Images that reach τ but whose original sums to 0 exactly, and so are left out. */
  leftOut: number;
  /** Means of the first two parts and of the residue. */
  d1: number;
  d2: number;
  residue: number;
  /** Means of all k parts. */
  parts: number[];
  /** Mean (or ratio), deviation over the images and normal 95 % interval of the mean: of each part, and of the residue. */
  summary: {parts: Summary[]; residue: Summary};
  /** The same means over random splits of the same sizes: their mean, deviation and the range that holds 95 % of the splits. */
  random: {parts: Summary[]; residue: Summary};
}

/** The images of one concept's classes, seen through the original and the new channels. */
export interface ConceptEvaluation {
  classes: number[];
  classNames: string[];
  /** Images of these classes. */
  images: number;
  /**
   * Σ_hw part / Σ_hw original (signed sums), over images with Σ_hw max(Z_c·∂y/∂Z_c, 0) ≥ τ · Σ_j Σ_hw max(Z_j·∂y/∂Z_j, 0); the parts'
   * fractions minus (k − 1) times the residue's are 1 for each image.
   */
  published: Fractions;
  /** Σ_hw relu(part) / Σ_hw relu(original), over images with R_c ≥ τ · Σ_j max(R_j, 0), the share that detection uses. */
  positive: Fractions;
  /** Σ_images Σ_hw relu(part) / Σ_images Σ_hw relu(original), over the same images: none with a small denominator can dominate it. */
  ratioOfSums: Fractions;
  /**
   * How well Σ_hw relu(channel) tells this concept's images from the other concepts', all of them whatever τ: 0.5 is chance, 1 perfect.
   * `random` is over random splits, by part.
   */
  auroc: {original: number; parts: number[]; random: Summary[]};
}

/** What a split's parts carry of the original channel, and for whom. Plain data; `JSON.stringify` writes all of it. */
export interface SplitEvaluation {
  readonly kind: 'split evaluation';
  layer: string;
  channel: number;
  rule: string;
  tau: number;
  /** Images of the concepts' classes that were read. */
  images: number;
  concepts: ConceptEvaluation[];
  /** Share of these images whose highest logit is their class's, before the split and with the channel added up from its parts. */
  top1: {before: number; after: number};
  randomSplits: number;
  /** The published fractions an image each, of the images that are kept; where they were asked for. */
  perImage?: ImageFractions[];
  warnings: string[];
  toString(): string;
}

/** What the parts and the residue carry of the original on one image: Σ_hw part / Σ_hw original, signed sums. */
export interface ImageFractions {
  /** The image's path in its list. */
  image: string;
  /** Position of the concept that its class belongs to. */
  concept: number;
  /** Fractions of the k parts; they minus (k − 1) times the residue's are 1. */
  fractions: number[];
  residue: number;
}

/** Mean change of a class's images: of the logit of their own class, and of the share whose own class is on top. */
export interface AblationEffect {
  logit: number;
  accuracy: number;
}

/** One class that has images. */
export interface AblatedClass {
  class: number;
  className: string;
  images: number;
  /** Position of the concept that the class belongs to, −1 for none. */
  concept: number;
  /** Before anything is removed: mean logit of its own class, and top-1. */
  before: AblationEffect;
  /** The whole channel removed. */
  zeroed: AblationEffect;
  /** Concept j removed, [k]. */
  removed: AblationEffect[];
  /** The j-th part of a random split removed, [k]; mean over the random splits. */
  random: AblationEffect[];
}

/** What removing one concept does. */
export interface AblatedConcept {
  classes: number[];
  classNames: string[];
  /** Mean change of its own images' logit when the whole channel is removed: what `own` is relative to. */
  zeroed: number;
  /** Σ logit change of its own images ÷ the same with the whole channel removed, with the normal 95 % interval of a ratio. */
  own: Summary;
  /** The same for the images of the other concepts. */
  other: Summary;
  /** Mean |change of a class's logit| over the classes of no concept: with this concept and with the whole channel removed. */
  rest: {removed: number; zeroed: number};
  /** `own`, `other` and `rest.removed` over random splits: mean, deviation and the range that holds 95 % of the splits. */
  random: {own: Summary; other: Summary; rest: Summary};
}

/** What becomes of every class when one concept, or the whole channel, is taken out of the network. */
export interface SplitAblation {
  readonly kind: 'split ablation';
  layer: string;
  channel: number;
  images: number;
  concepts: AblatedConcept[];
  /** All classes that have images, ascending. */
  classes: AblatedClass[];
  randomSplits: number;
  toString(): string;
}

/** One image of a concept; kernels are numbered as `kernelList` lists them. */
export interface MeasuredImage {
  /** Position in the list of images. */
  image: number;
  concept: number;
  /** The channel's share of the positive relevance, clamped at each position (published) or summed first (detection). */
  share: {published: number; detection: number};
  /** Σ_hw and Σ_hw relu of each kernel's output. */
  signed: Float32Array;
  positive: Float32Array;
}
