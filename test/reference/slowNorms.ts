/** Normalisations from their definitions. */
import {fill, read, type Slow, type Values} from './slowValues';

export const batchNorm: Slow = ([x], {axis, epsilon}, {gamma, beta, moving_mean: mean, moving_variance: variance}) =>
  fill(x!.shape, (index) => {
    const c = index[axis as number]!;
    const standard = (read(x!, index) - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + (epsilon as number));
    return standard * (gamma ? gamma.data[c]! : 1) + (beta ? beta.data[c]! : 0);
  });

/** Standardises over the elements that `together` puts into the same set, then scales by `weightAt`. */
function standardise(x: Values, epsilon: number, setOf: (index: readonly number[]) => string) {
  const sets = new Map<string, number[]>();
  const put = (index: readonly number[]) => {
    const key = setOf(index);
    const set = sets.get(key) ?? [];
    sets.set(key, set);
    set.push(read(x, index));
    return 0;
  };
  fill(x.shape, put);
  return (index: readonly number[]) => {
    const set = sets.get(setOf(index))!;
    const mean = set.reduce((sum, value) => sum + value, 0) / set.length;
    const variance = set.reduce((sum, value) => sum + (value - mean) ** 2, 0) / set.length;
    return (read(x, index) - mean) / Math.sqrt(variance + epsilon);
  };
}

export const layerNorm: Slow = ([x], args, {gamma, beta}) => {
  const axes = args['axes'] as number[];
  const standard = standardise(x!, args['epsilon'] as number, (index) =>
    index.filter((_, axis) => !axes.includes(axis)).join(),
  );
  return fill(x!.shape, (index) => {
    const own = [...axes].sort((a, b) => a - b).map((axis) => index[axis]!);
    return standard(index) * (gamma ? read(gamma, own) : 1) + (beta ? read(beta, own) : 0);
  });
};

export const groupNorm: Slow = ([x], args, {gamma, beta}) => {
  const channels = x!.shape[3]!;
  const perGroup = channels / (args['groups'] as number);
  const standard = standardise(x!, args['epsilon'] as number, ([b, , , c]) => `${b},${Math.floor(c! / perGroup)}`);
  return fill(x!.shape, (index) => {
    const c = index[3]!;
    return standard(index) * (gamma ? gamma.data[c]! : 1) + (beta ? beta.data[c]! : 0);
  });
};
