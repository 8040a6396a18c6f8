import {namedClasses} from '../common/words';
import {fractionText} from '../common/numbers';
import type {SplitEvaluation} from './types';

/** What an evaluation says of one part, from its own numbers. */
export interface PartVerdict {
  /** 1 … k */
  part: number;
  /** Whether the part did better than random splits on both counts; undefined without random splits. */
  separated: boolean | undefined;
  /** One sentence. */
  sentence: string;
}

/**
 * Whether each part came apart: of its own concept's images it carries more of the original than the range of random splits of the same
 * sizes, and of the other concepts' images less than random splits do on average. By the ratio of sums, which no single image dominates.
 */
export function verdictsOf({
  concepts,
  randomSplits,
}: Pick<SplitEvaluation, 'concepts' | 'randomSplits'>): PartVerdict[] {
  return concepts.map((concept, j) => {
    const name = `d${j + 1} ${namedClasses(concept)}`;
    const own = concept.ratioOfSums;
    const carried = own.summary.parts[j].mean;
    const others = concepts.filter((_, other) => other !== j);
    const leaked = others.map((other) => other.ratioOfSums.summary.parts[j].mean);
    const said = `${name} carries ${fractionText(carried)} of its own`;
    const elsewhere = `${leaked.map(fractionText).join(', ')} of the ${others.length === 1 ? 'other' : 'others'}`;
    if (randomSplits === 0)
      return {
        part: j + 1,
        separated: undefined,
        sentence: `${said} and ${elsewhere}; no control to compare with`,
      };
    const [low, high] = own.random.parts[j].interval;
    const above = carried > high;
    const below = others.every((other, n) => leaked[n] < other.ratioOfSums.random.parts[j].mean);
    const separated = above && below;
    return {
      part: j + 1,
      separated,
      sentence: `${said} (random splits ${fractionText(low)} to ${fractionText(high)}) and ${elsewhere} (random splits ${others.map(({ratioOfSums}) => fractionText(ratioOfSums.random.parts[j].mean)).join(', ')}): ${separated ? 'separated' : 'not separated'}`,
    };
  });
}
