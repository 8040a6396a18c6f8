import {PARTS} from './parts';
import {POSITIONS, type KnownActivations} from './activations';

/** What a channel answers to, in shares of its best answer. */
export interface Meanings {
  /** Parts that a channel answers to, ascending, [Cout]; undefined where it hardly ever fires. */
  parts: (number[] | undefined)[];
  /** Parts that it answers to a little, so that a class with one is in no pair, [Cout]. */
  unclear: number[][];
}

/** From this share of the best answer on a part counts, and below the other it does not. */
const CLEAR = 0.6;
const NOTHING = 0.3;

/** A channel that fires in fewer of the pictures says nothing. */
const LEAST_FIRING = 0.05;

/**
 * The meaning of channels that nobody taught, measured: the mean over pictures of a part alone of the channel's highest output, from the
 * least part's answer (0) to the best part's (1).
 * @param activations of pictures of one part each
 */
export function measuredMeanings({labels, outputs, channels}: KnownActivations): Meanings {
  const count = channels.outputs;
  const parts: Meanings['parts'] = [];
  const unclear: number[][] = [];
  for (let c = 0; c < count; c++) {
    const sums = new Float64Array(PARTS.length);
    const pictures = new Float64Array(PARTS.length);
    let firing = 0;
    for (let n = 0; n < labels.length; n++) {
      let peak = 0;
      for (let p = 0; p < POSITIONS; p++) peak = Math.max(peak, outputs[(n * POSITIONS + p) * count + c]);
      sums[labels[n]] += peak;
      pictures[labels[n]] += 1;
      if (peak > 0) firing += 1;
    }
    const answers = sums.map((sum, part) => sum / pictures[part]);
    const [least, best] = [Math.min(...answers), Math.max(...answers)];
    const share = answers.map((value) => (best > least ? (value - least) / (best - least) : 0));
    const all = PARTS.map((_, part) => part);
    parts.push(firing >= LEAST_FIRING * labels.length ? all.filter((part) => share[part] > CLEAR) : undefined);
    unclear.push(all.filter((part) => share[part] <= CLEAR && share[part] >= NOTHING));
  }
  return {parts, unclear};
}
