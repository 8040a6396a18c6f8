import type {ClusterScore} from './clusters';
import type {DetectionScores} from './detection';
import type {KnownKind} from './networks';
import type {SplitScore} from './splitting';

/** Measures of `severalMeanings`. */
export const MEASURES = ['silhouette', 'dip', 'likelihood', 'stability'] as const;

/** What one network shows. */
export interface KnownRow {
  kind: KnownKind;
  seed: number;
  topOne: number;
  zeroInputs: number;
  /** Number of parts that each channel means; 0 where it hardly fires. */
  parts: number[];
  /** Whether measuring finds what a channel was taught, and nothing else; true where its meaning was only measured. */
  confirmed: boolean[];
  detection: DetectionScores[];
  splitting: SplitScore[];
  clusters: ClusterScore[];
  /** Without labels: how well each measure tells channels of several parts from those of one. */
  severalAuroc: Record<(typeof MEASURES)[number], number>;
}
