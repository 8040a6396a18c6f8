import {isObjective, unknownObjective, type Objective} from './objectives';
import {fourier, type Parametrisation} from './parametrisation';
import {jitter, rotate, scale, type Transform} from './transforms';
import {vignette} from './vignette';

/**
 * Views as far apart as those of one thing in several photographs. They were chosen by how often two other networks recognise the images of half
 * of the demo's classes: narrower views leave patterns that only their own network knows. Whether the network of
 * `test/bench/featureTransfer.ts`, which measures it for all classes, was one of the two is not on record: its number may be optimistic.
 */
export function defaultTransforms([height, width]: readonly [number, number]): Transform[] {
  return [jitter(Math.round(Math.min(height, width) / 8)), scale(0.6, 1.4), rotate(30)];
}

/**
 * A vignette; where one position is asked for, which may lie outside its disc, waves over the whole picture.
 * @throws InputError for what is no objective
 */
export function defaultParametrisation(objective: Objective): Parametrisation {
  if (!isObjective(objective)) throw unknownObjective(objective);
  return looksAtPosition(objective) ? fourier() : vignette();
}

function looksAtPosition(objective: Objective): boolean {
  switch (objective.kind) {
    case 'channel':
    case 'weightVector':
      return typeof objective.where !== 'string';
    case 'sum':
      return objective.terms.some(looksAtPosition);
    case 'product':
      return objective.factors.some(looksAtPosition);
    default:
      return false;
  }
}
