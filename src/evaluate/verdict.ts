import {namedClasses} from '../common/words';
import {fractionText} from '../common/numbers';
import type {Summary} from '../numerics/summary';
import type {SplitEvaluation} from './types';

/** `undecided`: an interval of the mean reaches what random splits do, on either side of it; `no control`: there were none. */
export type PartOutcome = 'separated' | 'not separated' | 'undecided' | 'no control';

/** What an evaluation says of one part, from its own numbers. */
export interface PartVerdict {
  /** 1 … k */
  part: number;
  /** Whether the part did better than random splits on both counts. */
  outcome: PartOutcome;
  /** One sentence. */
  sentence: string;
}

/**
 * Whether each part came apart: of its own concept's images it carries more of the original than the range of random splits of the same
 * sizes, and of the other concepts' images less than random splits do on average; each with the whole 95 % interval of its mean. By the
 * ratio of sums, which no single image dominates.
 */
export function verdictsOf({
  concepts,
  randomSplits,
}: Pick<SplitEvaluation, 'concepts' | 'randomSplits'>): PartVerdict[] {
  return concepts.map((concept, j) => {
    const others = concepts.filter((_, other) => other !== j).map(({ratioOfSums}) => ratioOfSums);
    const carried = concept.ratioOfSums.summary.parts[j];
    const leaked = others.map(({summary}) => summary.parts[j]);
    const said = `d${j + 1} ${namedClasses(concept)} carries ${fractionText(carried.mean)} of its own`;
    const elsewhere = `${leaked.map(({mean}) => fractionText(mean)).join(', ')} of the ${others.length === 1 ? 'other' : 'others'}`;
    if (randomSplits === 0)
      return {
        part: j + 1,
        outcome: 'no control',
        sentence: `${said} and ${elsewhere}; no control to compare with`,
      };
    const {interval: range} = concept.ratioOfSums.random.parts[j];
    const average = others.map(({random}) => random.parts[j].mean);
    const outcome = both(
      whether(carried, (value) => value > range[1]),
      ...leaked.map((leak, n) => whether(leak, (value) => value < average[n])),
    );
    const why = outcome === 'undecided' ? ', as an interval of the mean reaches them' : '';
    return {
      part: j + 1,
      outcome,
      sentence: `${said} (random splits ${range.map(fractionText).join(' to ')}) and ${elsewhere} (random splits ${average.map(fractionText).join(', ')}): ${outcome}${why}`,
    };
  });
}

/** Whether something holds at both ends of a mean's interval. A mean that is no number holds nothing. */
function whether({mean, interval}: Summary, holds: (value: number) => boolean): PartOutcome {
  if (!holds(mean) && !interval.some(holds)) return 'not separated';
  return interval.every(holds) ? 'separated' : 'undecided';
}

function both(...outcomes: PartOutcome[]): PartOutcome {
  if (outcomes.includes('not separated')) return 'not separated';
  return outcomes.includes('undecided') ? 'undecided' : 'separated';
}
