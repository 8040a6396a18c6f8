import {meanInterval, type Summary} from '../../numerics/summary';
import type {ImageFractions} from '../../evaluate';

/** One triple's fractions, an image each, at one ρ. */
export interface TripleFractions {
  channel: number;
  classes: [number, number];
  classNames: [string, string];
  rho: number | undefined;
  /** Images of both concepts that the channel matters for. */
  images: ImageFractions[];
}

/** The paper's result: what the first part, the second part and the residue carry of the original, over all kept images. */
export interface PooledFractions {
  /** By the position of the images' class in its triple, 1st or 2nd. */
  concept: 1 | 2;
  d1: Summary;
  d2: Summary;
  residue: Summary;
}

/**
 * Column means over all kept images of all triples, for each of the two concepts: 2 × 3 numbers (Hesse et al. 2025, section 4.2). Every image
 * counts once for each triple that it is kept for, so triples with many images weigh more than in a mean of means.
 */
export function pooledFractions(triples: readonly TripleFractions[]): PooledFractions[] {
  return ([0, 1] as const).map((concept) => {
    const kept = triples.flatMap(({images}) => images.filter((image) => image.concept === concept));
    return {
      concept: concept === 0 ? 1 : 2,
      d1: meanInterval(kept.map(({fractions}) => fractions[0])),
      d2: meanInterval(kept.map(({fractions}) => fractions[1])),
      residue: meanInterval(kept.map(({residue}) => residue)),
    };
  });
}
