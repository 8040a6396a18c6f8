import type {RelevanceStatistics} from '../numerics/statistics';

/** Something that a channel stands for: one class, or several that its source channels treat alike. */
export interface Concept {
  /** Class indices, ascending. */
  classes: number[];
  classNames: string[];
  /** Averaged relevance vector over the images of these classes, [Cin], signed. */
  arv: Float64Array;
}

/** Two classes that a channel is relevant to. */
export interface ClassPair {
  channel: number;
  /** Ascending. */
  classes: [number, number];
  /** cos(ARV(c, k1), ARV(c, k2)), −1..1. */
  cosine: number;
}

/** A channel that several concepts share. */
export interface PolysemanticChannel {
  channel: number;
  /** Classes that the channel is relevant to, ascending. */
  classes: number[];
  /** These classes grouped: within a concept every two ARVs have a cosine of at least γ (complete linkage). */
  concepts: Concept[];
  /** Pairs below γ (all pairs with `allPairs`), ascending by cosine. */
  pairs: ClassPair[];
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
  /** Cosines of all pairs of relevant classes of all candidates, ascending: what a γ for this network can be chosen from. */
  readonly cosines: Float64Array;
  readonly warnings: string[];
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
