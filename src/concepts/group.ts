import {agnes, type Cluster} from 'ml-hclust';
import {InputError} from '../common/errors';
import {adjustedRandIndex} from '../numerics/agreement';
import type {ClassVectors, Halves} from './relate';

/** Classes of a channel grouped into what it stands for. */
export interface Grouping {
  /** Groups of classes, each ascending, the group with the smallest class first. */
  groups: number[][];
  /**
   * How far the two halves of the images bear each group out: the share of pairs of one of its classes with any other class for which
   * both halves' cosines lie on the side of the cut that the grouping says, 0..1. NaN where a half cannot be compared.
   */
  confidence: number[];
}

export interface GroupOptions {
  /** γ: groups are cut at this cosine. */
  gamma: number;
  /** Number of groups. @default what γ says, and the halves where its neighbours are more stable */
  count?: number;
}

/**
 * Groups classes whose vectors point the same way.
 *
 * Published vectors: complete linkage on 1 − cosine, cut at γ, so that every two classes of a group have a cosine of at least γ (Hesse
 * et al. 2025 compare all pairs). Gated vectors: average linkage, cut at γ; of that cut, one group fewer and one group more, the one that
 * the two halves of the images agree on best (adjusted Rand index of the halves' own trees) is taken, γ's own where they agree alike.
 * Where all classes agree, the two groups that differ most.
 * @throws InputError for a count that is no whole number from 2 to the number of classes
 */
export function groupClasses(
  vectors: ClassVectors,
  classes: readonly number[],
  {gamma, count}: GroupOptions,
): Grouping {
  if (count !== undefined && !(Number.isInteger(count) && count >= 2 && count <= classes.length)) {
    throw new InputError(
      `invalid number of concepts: ${count}; the channel has ${classes.length} classes to group, so give a whole number from 2 to ${classes.length}`,
    );
  }
  const published = vectors.kind === 'published';
  const tree = treeOf(vectors, classes, published ? 'complete' : 'average');
  let groups: number[][];
  if (count !== undefined) groups = cutAt(tree, count);
  else {
    const cut = Math.max(tree.cut(Math.max(1 - gamma, 0)).length, 2);
    groups = cutAt(tree, published ? cut : mostStable(vectors, classes, cut));
  }
  const named = groups.map((group) => group.map((at) => classes[at]).sort((a, b) => a - b));
  named.sort((a, b) => a[0] - b[0]);
  return {groups: named, confidence: named.map((group) => confidenceOf(vectors, classes, group, gamma))};
}

function treeOf(
  vectors: ClassVectors,
  classes: readonly number[],
  method: 'complete' | 'average',
  half?: 0 | 1,
): Cluster {
  const halves: Halves = half === undefined ? [] : [half, half];
  const distances = classes.map((a, i) =>
    classes.map((b, j) => {
      // Of either order, the same pair.
      const similarity = vectors.cosine(Math.min(a, b), Math.max(a, b), halves);
      // A vector of zeros agrees with nothing.
      return i === j ? 0 : 1 - (Number.isNaN(similarity) ? -1 : similarity);
    }),
  );
  return agnes(distances, {method, isDistanceMatrix: true});
}

const cutAt = (tree: Cluster, count: number) => tree.group(count).children.map((group) => group.indices());

/** The number of groups at γ, or one beside it that the halves agree on better. */
function mostStable(vectors: ClassVectors, classes: readonly number[], cut: number): number {
  const trees = ([0, 1] as const).map((half) => treeOf(vectors, classes, 'average', half));
  const stability = (count: number) => {
    const [a, b] = trees.map((tree) => {
      const owner = new Int32Array(classes.length);
      cutAt(tree, count).forEach((group, g) => group.forEach((at) => (owner[at] = g)));
      return owner;
    });
    return adjustedRandIndex(a, b);
  };
  const counts = [cut, cut - 1, cut + 1].filter((count) => count >= 2 && count < Math.max(classes.length, 3));
  return counts.reduce((best, count) => (stability(count) > stability(best) + 1e-9 ? count : best), cut);
}

function confidenceOf(
  vectors: ClassVectors,
  classes: readonly number[],
  group: readonly number[],
  gamma: number,
): number {
  let [right, total] = [0, 0];
  for (const a of group) {
    for (const b of classes) {
      if (a === b) continue;
      const values = ([0, 1] as const).map((half) => vectors.cosine(a, b, [half, half]));
      if (values.some(Number.isNaN)) continue;
      total += 1;
      const together = group.includes(b);
      if (values.every((value) => value >= gamma === together)) right += 1;
    }
  }
  return total > 0 ? right / total : NaN;
}
