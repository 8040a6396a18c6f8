import type {RelevanceStatistics} from '../numerics/statistics';

/**
 * What classes are compared by. `published`: averaged relevance vectors over all positions (Hesse et al. 2025). `gated`: the same where
 * the channel fires, minus their mean over classes (see `gatedVectors`).
 */
export type VectorKind = 'gated' | 'published';

/** Something that a channel stands for: one class, or several that its source channels treat alike. */
export interface Concept {
  /** Class indices, ascending. */
  classes: number[];
  classNames: string[];
  /** Averaged relevance vector over the images of these classes, [Cin], signed. */
  arv: Float64Array;
  /** How far the two halves of the images bear the concept out, 0..1; undefined for one of one's own choosing. See `Grouping`. */
  confidence?: number;
}

/** Two classes that a channel is relevant to. */
export interface ClassPair {
  channel: number;
  /** Ascending. */
  classes: [number, number];
  /** Of their vectors (`thresholds.arv`), −1..1. */
  cosine: number;
  /** The lower of the two classes' agreements with themselves between the halves of their images; NaN where a half has none. */
  agreement: number;
  /** By γ; `undecided` where gated vectors are compared and a class does not agree with itself (agreement ≤ 0.5). */
  decision: 'different' | 'same' | 'undecided';
}

/** The part of a pair that does not depend on what is said of it. */
export type CosinePair = Pick<ClassPair, 'channel' | 'classes' | 'cosine'>;

/** A channel that several concepts share. */
export interface PolysemanticChannel {
  channel: number;
  /** Classes that the channel is relevant to, ascending. */
  classes: number[];
  /** These classes grouped by what they are compared by, cut at γ (see `groupClasses`); undecided classes are in none. */
  concepts: Concept[];
  /** Classes that do not agree with themselves between the halves of their images, ascending; of published vectors none. */
  undecided: number[];
  /** Pairs that differ (all pairs with `allPairs`), ascending by cosine. */
  pairs: ClassPair[];
  /** Of the decided pairs. */
  lowestCosine: number;
}

/** Thresholds of the search; symbols of Hesse et al. 2025, section 3. */
export interface FindOptions {
  /** τ: a channel is important for an image if it carries at least this share of the positive relevance. @default 0.03 (made for 2048 channels) */
  tau?: number;
  /** p: a channel is relevant to a class if it is important for at least this fraction of its images. @default 0.75 */
  p?: number;
  /** γ: two ARVs with a cosine below it point in different directions. @default 0.5 (depends on the network: see `cosines` of the result) */
  gamma?: number;
  /** Report every pair of relevant classes, whatever γ. @default false */
  allPairs?: boolean;
  /** What classes are compared by. @default 'gated' where the statistics hold gated sums, else 'published' */
  arv?: VectorKind;
}

/** Channels with at least one reported pair, the lowest cosine first; an array with what it came from. */
export interface PolysemanticChannels extends ReadonlyArray<PolysemanticChannel> {
  readonly kind: 'polysemantic channels';
  readonly layer: string;
  readonly modelHash: string;
  readonly thresholds: Required<FindOptions>;
  /** Channels that are relevant to at least two classes, whatever γ. */
  readonly candidates: CandidateChannel[];
  /** Reported pairs of all channels, ascending by cosine. */
  readonly pairs: ClassPair[];
  /** Cosines of all decided pairs of relevant classes of all candidates, ascending: what a γ for this network can be chosen from. */
  readonly cosines: Float64Array;
  /** Pairs of relevant classes of all candidates that could not be decided, ascending by cosine. */
  readonly undecided: ClassPair[];
  readonly warnings: string[];
  /** Channels one of whose concepts has a class of this name. @throws InputError for a name that no class has */
  byName(name: string): PolysemanticChannel[];
  /** The statistics that were searched: what `show` draws similarities from. Not enumerable, so that JSON stays small. */
  readonly stats: RelevanceStatistics;
  toString(): string;
}

/** A channel relevant to at least two classes. */
export interface CandidateChannel {
  channel: number;
  classes: number[];
  /** NaN where no two of its ARVs can be compared. */
  lowestCosine: number;
}
