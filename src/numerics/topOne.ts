import {numberText, percentText} from '../common/numbers';
import {binomialLowerTail, binomialUpperTail} from './binomial';

/** What is known of a network's first choices, by class. */
export interface FirstChoices {
  /** Images, [K]. */
  counts: ArrayLike<number>;
  /** Images whose first choice is their class, [K]. */
  hits: ArrayLike<number>;
  /** Sum over a class's images of the probability of the first choice, [K]. */
  confidence?: ArrayLike<number>;
}

/** The error of the first kind of a warning: chance is refused below it. */
const LEVEL = 0.05;
/** By how much the network is surer than it is right before labels are doubted rather than its calibration. */
const GAP = 0.2;

/**
 * What looks wrong with a network's top-1, one sentence each; none for a sound one.
 *
 * No better than chance: an exact binomial test cannot tell the hits from guessing, and top-1 is nearer to guessing than to perfect (so that
 * a few images, of which all are hit, are no reason). Guessing hits one in K, and where all classes have images, the share of the largest.
 *
 * Sure and wrong: top-1 is less than half of the network's own mean confidence, 20 points at least, and not by chance (binomial,
 * p < 0.001). Networks are surer than right on new data (Guo et al. 2017), by less than that.
 * @param cause what to look at, e.g. `the labels or the preprocessing (preset tf)`
 */
export function topOneWarnings({counts, hits, confidence}: FirstChoices, cause: string): string[] {
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
  const images = sum(counts);
  if (images === 0) return [];
  const right = sum(hits);
  const accuracy = right / images;
  const classes = counts.length;
  const largest = Array.from(counts).every((count) => count > 0)
    ? Array.from(counts).reduce((most, count) => Math.max(most, count)) / images
    : 0;
  const chance = Math.max(1 / classes, largest);
  const warnings: string[] = [];
  const p = binomialUpperTail(right, images, chance);
  if (p > LEVEL && accuracy < (1 + chance) / 2) {
    warnings.push(
      `top-1 is ${percentText(accuracy, 2)}, no better than chance for ${classes} classes (${percentText(chance, 2)}; exact binomial test, p = ${numberText(p)}): ${cause} look wrong`,
    );
  }
  const sure = confidence === undefined ? undefined : sum(confidence) / images;
  if (
    sure !== undefined &&
    accuracy < sure / 2 &&
    sure - accuracy > GAP &&
    binomialLowerTail(right, images, Math.min(sure, 1)) < 0.001
  ) {
    warnings.push(
      `top-1 is ${percentText(accuracy, 1)}, yet the network gives its first choices a probability of ${percentText(sure, 0)} on average: it is sure of other classes, so ${cause}, or the order of the classes, look wrong`,
    );
  }
  return warnings;
}
