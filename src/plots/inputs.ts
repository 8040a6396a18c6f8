import type {Summary} from '../numerics/summary';

/** What figures read of results: plain data. The results of the package's functions fit as they are. */

/** A concept, as far as figures name and colour it. */
export interface NamedClasses {
  /** Class indices, which its colour follows from. @default its place in the list does */
  classes?: readonly number[];
  classNames: readonly string[];
}

/** A split, as far as its figures read it; results of `disentangle` fit. */
export interface DividedChannel {
  layer: string;
  channel: number;
  concepts: readonly (NamedClasses & {arv: ArrayLike<number>})[];
  rule: string;
  rho?: {rho: number; scores: readonly {rho: number; score: number}[]; zeroDenominators: number};
  /** λ_j, [Cin] each; undefined for free kernels. */
  ownership?: readonly ArrayLike<number>[];
  /** [kh, kw, Cin] */
  kernelShape: readonly [number, number, number];
  /** w, [taps, Cin] */
  original: ArrayLike<number>;
  /** d_j, [taps, Cin] each. */
  parts: readonly ArrayLike<number>[];
}

/** What `evaluateSplit` returns, as far as figures read it. */
export interface EvaluatedSplit {
  layer: string;
  channel: number;
  rule: string;
  tau: number;
  randomSplits: number;
  concepts: readonly EvaluatedConcept[];
}

export interface EvaluatedConcept extends NamedClasses, Record<FractionDefinition, EvaluatedFractions> {}

export type FractionDefinition = 'published' | 'positive' | 'ratioOfSums';

export interface EvaluatedFractions {
  images: number;
  summary: {parts: readonly Summary[]; residue: Summary};
  random: {parts: readonly Summary[]; residue: Summary};
}

/** What `densities` returns, as far as figures read it. */
export interface DensityCurves {
  layer: string;
  channel: number;
  /** Whether an activation is Σ relu or the signed Σ over the positions. @default 'relu' */
  sums?: 'relu' | 'signed';
  /** What has a panel of its own. @default 'channel' */
  by?: 'channel' | 'concept';
  /** The concepts, in the order of the curves; colours them. @default by the names of the curves */
  concepts?: readonly NamedClasses[];
  /** One point of one curve each. */
  rows: readonly {concept: string; channel: string; activation: number; density: number}[];
  curves: readonly {concept: string; channel: string; mean: number; zeroShare: number}[];
}

/** What `ablate` returns, as far as figures read it. */
export interface AblatedSplit {
  layer: string;
  channel: number;
  randomSplits: number;
  concepts: readonly NamedClasses[];
  classes: readonly AblatedClassRow[];
}

export interface AblatedClassRow {
  class: number;
  className: string;
  images: number;
  concept: number;
  zeroed: {logit: number};
  removed: readonly {logit: number}[];
  random: readonly {logit: number}[];
}

/** What the planted benchmark returns, as far as figures read it. */
export interface PlantedScores {
  model: {name: string};
  layer: string;
  tiers: readonly {tier: string; plants: number; rules: readonly PlantedRule[]}[];
}

export interface PlantedRule {
  rule: string;
  r: Readonly<Record<string, Summary>>;
  r2: Readonly<Record<string, Summary>>;
}
