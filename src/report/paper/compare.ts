import type {CosinePair} from '../../concepts/types';
import {PUBLISHED_COSINE, PUBLISHED_THRESHOLDS, PUBLISHED_TRIPLES, type Triple} from './published';

/** What was found, held against what was published. */
export interface FoundAgainstPublished {
  /** Pairs found with 0 ≤ cosine < γ, the published number, and those in both lists. */
  found: number;
  published: number;
  both: number;
  /** both / found and both / published; NaN where nothing was found. */
  precision: number;
  recall: number;
  /** Published triples that were not found, and found ones that were not published. */
  missing: Triple[];
  added: Triple[];
  /** Cosine of the pair whose cosine is published; undefined where the channel is not relevant to both classes. */
  cosine: {theirs: number; ours: number | undefined};
}

const key = ({channel, classes}: Triple | CosinePair) => `${channel}:${classes.join()}`;

/**
 * @param pairs all pairs of relevant classes with their cosines, whatever γ (`findPolysemantic(…, {allPairs: true}).pairs`)
 * @param options.lowest the lower end of the cosines that count; the published code's is 0, which leaves negative ones out @default 0
 */
export function compareWithPublished(
  pairs: readonly CosinePair[],
  {gamma = PUBLISHED_THRESHOLDS.gamma, lowest = PUBLISHED_THRESHOLDS.lowest}: {gamma?: number; lowest?: number} = {},
): FoundAgainstPublished {
  const found = pairs.filter(({cosine}) => cosine >= lowest && cosine < gamma);
  const theirs = new Set(PUBLISHED_TRIPLES.map(key));
  const ours = new Set(found.map(key));
  const both = found.filter((pair) => theirs.has(key(pair))).length;
  return {
    found: found.length,
    published: PUBLISHED_TRIPLES.length,
    both,
    precision: both / found.length,
    recall: both / PUBLISHED_TRIPLES.length,
    missing: PUBLISHED_TRIPLES.filter((triple) => !ours.has(key(triple))),
    added: found.filter((pair) => !theirs.has(key(pair))).map(({channel, classes}) => ({channel, classes})),
    cosine: {
      theirs: PUBLISHED_COSINE.cosine,
      ours: pairs.find((pair) => key(pair) === key(PUBLISHED_COSINE))?.cosine,
    },
  };
}
