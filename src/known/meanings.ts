import type {Model} from '../network/types';
import {drawnAnew, type Pictures} from './images';
import {CLASS_PARTS, PARTS} from './parts';
import {POSITIONS, singleActivations, withoutActivations, type KnownActivations} from './activations';

/** What a channel answers to, in shares of its best answer. */
export interface Meanings {
  /** Parts that a channel answers to, ascending, [Cout]; undefined where it hardly ever fires. */
  parts: (number[] | undefined)[];
  /** Parts that it answers to a little, so that a class with one is in no pair, [Cout]. */
  unclear: number[][];
}

/** What a channel's output is for each part, [Cout, 12] each. */
export interface Answers {
  /** Mean over pictures of the part alone of the channel's highest output, from the least part's (0) to the best part's (1). */
  alone: Float64Array[];
  /** Mean fall of the highest output when the part is taken out of pictures that hold it, from 0 to the best part's (1). */
  removed: Float64Array[];
  /** Share of the pictures of the part alone in which the channel fires. */
  fires: Float64Array[];
}

/** From this share of the best answer on a part counts, and below the other it does not. */
const CLEAR = 0.6;
const NOTHING = 0.3;

/** A channel that is silent in more of the pictures of a part alone does not answer to it, however it stands to others. */
const LEAST_FIRING = 0.5;

/** Pictures of each class that parts are taken out of, at most. */
const MOST_REMOVED = 20;

/**
 * The meaning of channels, measured. A part counts where the channel answers clearly to a picture of it alone, and something goes when
 * it is taken out of a picture; it does not where neither says anything; in between it is unclear. A channel that is silent in most pictures
 * of a part that would count is left out: it is all but dead, and what it answers to is chance.
 */
export function measuredMeanings({alone, removed, fires}: Answers): Meanings {
  const all = PARTS.map((_, part) => part);
  const meanings: Meanings = {parts: [], unclear: []};
  alone.forEach((share, c) => {
    const clear = all.filter((part) => share[part] > CLEAR && removed[c][part] >= NOTHING);
    const alive = clear.length > 0 && clear.every((part) => fires[c][part] >= LEAST_FIRING);
    meanings.parts.push(alive ? clear : undefined);
    const something = (part: number) => share[part] >= NOTHING || removed[c][part] >= NOTHING;
    meanings.unclear.push(all.filter((part) => !clear.includes(part) && something(part)));
  });
  return meanings;
}

/** @param held of pictures of all classes of the set `test`, class after class, `perClass` each */
export function measuredAnswers(
  model: Model,
  held: KnownActivations,
  perClass: number,
  pictures: Pictures = drawnAnew,
): Answers {
  const single = singleActivations(model, perClass, pictures);
  const count = Math.min(perClass, MOST_REMOVED);
  const without = withoutActivations(model, count, pictures);
  const {outputs} = held.channels;
  const [ownPeaks, withPeaks, withoutPeaks] = [single, held, without].map(peaks);
  const answers: Answers = {alone: [], removed: [], fires: []};
  for (let c = 0; c < outputs; c++) {
    const [alone, fires, falls] = [0, 1, 2].map(() => new Float64Array(PARTS.length));
    single.labels.forEach((part, n) => {
      const peak = ownPeaks[n * outputs + c];
      alone[part] += peak / perClass;
      if (peak > 0) fires[part] += 1 / perClass;
    });
    without.labels.forEach((group, n) => {
      const [k, place] = [Math.floor(group / 2), group % 2];
      const before = withPeaks[(k * perClass + (n % count)) * outputs + c];
      falls[CLASS_PARTS[k][place]] += before - withoutPeaks[n * outputs + c];
    });
    const least = Math.min(...alone);
    answers.alone.push(shares(alone.map((value) => value - least)));
    answers.removed.push(shares(falls.map((value) => Math.max(value, 0))));
    answers.fires.push(fires);
  }
  return answers;
}

/** Of the largest; zeros where that is 0. */
function shares(values: Float64Array): Float64Array {
  const best = Math.max(...values);
  return values.map((value) => (best > 0 ? value / best : 0));
}

/** The highest output of each channel in each picture, 0 where it does not fire, [N, Cout]. */
function peaks({labels, outputs, channels}: KnownActivations): Float32Array {
  const C = channels.outputs;
  const found = new Float32Array(labels.length * C);
  outputs.forEach((z, at) => {
    const place = Math.floor(at / (POSITIONS * C)) * C + (at % C);
    if (z > found[place]) found[place] = z;
  });
  return found;
}

/** Parts of which measuring does not confirm what a channel was taught: of its code, but hardly answered; or not of it, but answered a little. */
export function doubtedParts({alone, removed}: Answers, channel: number, code: readonly number[]): number[] {
  const answered = (part: number) => alone[channel][part] >= NOTHING && removed[channel][part] >= NOTHING;
  const something = (part: number) => alone[channel][part] >= NOTHING || removed[channel][part] >= NOTHING;
  return [...PARTS.keys()].filter((part) => (code.includes(part) ? !answered(part) : something(part)));
}

/** Whether measuring finds that a channel answers to every part of what it was taught, and clearly to no other. */
export function confirms(answers: Answers, channel: number, code: readonly number[]): boolean {
  const clear = (part: number) => answers.alone[channel][part] > CLEAR && answers.removed[channel][part] >= NOTHING;
  return doubtedParts(answers, channel, code).every((part) => !code.includes(part) && !clear(part));
}
