import type {LabelledImages, PresetOption} from '../images/types';
import type {LongCallOptions} from '../common/progress';
import type {Summary} from '../numerics/summary';
import type {SplitRule} from '../split/types';
import type {TierName} from './tiers';

/** What the benchmark is run on. */
export interface PlantedImages {
  /** Images that rules may look at. */
  discovery: LabelledImages;
  /** Images that recovery is measured on. */
  heldOut: LabelledImages;
}

export interface PlantedOptions extends LongCallOptions {
  /** Layer to plant in; `model.layers()` lists them. */
  layer: string;
  /** @default all */
  tiers?: readonly TierName[];
  /** Plants a tier; fewer where the network does not offer so many. @default 50 */
  plants?: number;
  /** Plants left out before the first: a rule is tuned on some plants and measured on others. @default 0 */
  skipPlants?: number;
  /** Rules by name, or of one's own; `published` is always among them, since the random control takes its sizes. @default all */
  rules?: readonly (string | SplitRule)[];
  /** A whole number; another one chooses other plants. @default 0 */
  seed?: number;
  /** τ: a channel is important for an image if it carries at least this share of the positive relevance. @default 0.03, or 2 / Cout where that is more */
  tau?: number;
  /** p: a channel is relevant to a class if it is important for at least this fraction of its images. @default 0.75 */
  p?: number;
  /** Folder for the results, and on the way for what is done so far: the same call resumes from there. @default not saved */
  out?: string;
  /** Begin anew in `out`, whatever it holds. @default false */
  force?: boolean;
  /** Images a class, at most. @default 100 for discovery, 60 held out */
  discoveryPerClass?: number;
  heldOutPerClass?: number;
  /** How pixels become input. @default the images' preset, else the model's */
  preset?: PresetOption;
  /** Images per batch. @default 32 */
  batchSize?: number;
}

/** Two channels (three with three concepts) that answer to different classes, to be added up to one. */
export interface Plant {
  /** Its place in the list, which seeds everything random about it. */
  index: number;
  /** a, b … */
  channels: number[];
  /** The class that each is relevant to and the others are not. */
  classes: number[];
}

/**
 * Images that recovery is measured on. `two`: held-out images of the plant's own classes. `pool`: 60 of other classes. `unseen`: of
 * classes that no rule saw, not even as background. `served`: of other classes that one source alone is relevant to, where there are any.
 */
export const IMAGE_SETS = ['two', 'pool', 'unseen', 'served'] as const;
export type ImageSet = (typeof IMAGE_SETS)[number];

/** What one rule made of one plant. NaN where a set has no images. */
export interface RuleScore {
  /** Mean over the concepts of Pearson's correlation of the part with its true source, over images × positions. */
  r: Record<ImageSet, number>;
  /** Mean over the concepts of R² = 1 − Σ (d − s)² / Σ s², both centred, without fitting a scale. */
  r2: Record<ImageSet, number>;
  /** Mean over concepts of B / (A + B): A and B are the mean relu of the part on its own and on the other classes; 0.5 is none apart. */
  leakShare: number;
  /** Share of sources whose owner is right; ties count 1/k. */
  edgeAccuracy: number;
  /** Adjusted Rand index of the owners against the true ones. */
  adjustedRandIndex: number;
  /** Largest |Σ d_j − (k − 1)·r − m| over the positions, against the largest |m|. */
  exactness: number;
  seconds: number;
  /** What the rule set from the data, e.g. its scale. */
  chosen?: Readonly<Record<string, number>>;
}

/** What detection sees of a channel on a pair of classes; a higher score speaks for two meanings. */
export interface DetectionScores {
  /** −cos(ARV1, ARV2) */
  negativeCosine: number;
  /** −leak share after a split by signed evidence, on the discovery images. */
  negativeLeak: number;
}

/** One plant of one tier. */
export interface PlantRow {
  tier: TierName;
  plant: number;
  channels: number[];
  classes: number[];
  /** Fraction of each class's discovery images for which the plant is important, in the network that really has it. */
  importance: number[];
  /** Whether it is relevant to all its classes there, and so would be found. */
  candidate: boolean;
  /** Leak share of the true sources themselves. */
  trueLeakShare: number;
  rules: Record<string, RuleScore>;
  /** Of two concepts only. */
  detection?: DetectionScores & {
    /** The same plant with the two classes' labels shuffled. */
    permuted: DetectionScores;
  };
}

/** `natural`: an untouched channel relevant to both classes. `merge`: of channels that serve the same classes. `unmerged`: a or b alone. */
export type NegativeKind = 'natural' | 'merge' | 'unmerged';

/** A channel that is not a plant, on a pair of classes. */
export interface NegativeRow extends DetectionScores {
  kind: NegativeKind;
  channels: number[];
  classes: [number, number];
}

/** One rule over the plants of one tier; intervals are 95 % normal ones of the mean over plants. */
export interface RuleSummary {
  rule: string;
  r: Record<ImageSet, Summary>;
  r2: Record<ImageSet, Summary>;
  leakShare: Summary;
  edgeAccuracy: Summary;
  adjustedRandIndex: Summary;
  /** The worst of all plants. */
  exactness: number;
  seconds: Summary;
}

export interface TierSummary {
  tier: TierName;
  plants: number;
  /** Share of plants that are relevant to all their classes in the modified network. */
  candidates: Summary;
  trueLeakShare: Summary;
  rules: RuleSummary[];
}

/** How well a score tells plants from one kind of negatives. */
export interface DetectionSummary {
  tier: TierName;
  score: keyof DetectionScores;
  against: NegativeKind | 'permuted';
  /** Negatives on the class pairs of the plants alone, or on any. */
  pairs: 'same' | 'any';
  positives: number;
  negatives: number;
  auroc: number;
  averagePrecision: number;
  /** Chance that a plant scores above a negative on its own class pair, ties half: mean over plants that have such negatives. */
  wins: Summary;
}

/** The benchmark's result. Plain data; `JSON.stringify` writes all of it. */
export interface PlantedBenchmark {
  readonly kind: 'planted benchmark';
  model: {name: string; hash: string};
  layer: string;
  images: {discovery: string; heldOut: string; discoveryCount: number; heldOutCount: number; classes: number};
  /** Top-1 on the discovery images. */
  top1: number;
  /** Share of zeros among the layer's inputs. */
  zeroInputShare: number;
  tau: number;
  p: number;
  seed: number;
  tiers: TierSummary[];
  detection: DetectionSummary[];
  /** What fell short of what was asked for, in sentences. */
  notes: string[];
  rows: PlantRow[];
  negatives: NegativeRow[];
  toString(): string;
}
