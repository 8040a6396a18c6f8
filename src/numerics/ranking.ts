import type {Vector} from './vectors';

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties counted half. 0.5 is chance. NaN where either is
 * missing or a score is NaN. By ranks (Mann and Whitney): tied scores share the mean of their ranks.
 */
export function auroc(positives: Vector, negatives: Vector): number {
  const [p, n] = [positives.length, negatives.length];
  if (p === 0 || n === 0) return NaN;
  const {scores, positive, ordered} = ranked(positives, negatives);
  if (!ordered) return NaN;
  let rankSum = 0;
  for (let from = 0, to = 0; from < scores.length; from = to) {
    let tied = 0;
    for (to = from; to < scores.length && scores[to] === scores[from]; to++) tied += positive[to];
    rankSum += tied * ((from + 1 + to) / 2);
  }
  return (rankSum - (p * (p + 1)) / 2) / (p * n);
}

/**
 * Average precision: Σ (recall_t − recall_t−1)·precision_t over the distinct scores t, highest first, so that tied scores count as one
 * step. The share of positives is chance. NaN without positives.
 */
export function averagePrecision(positives: Vector, negatives: Vector): number {
  if (positives.length === 0) return NaN;
  const {scores, positive, ordered} = ranked(positives, negatives);
  if (!ordered) return NaN;
  let [found, seen, area] = [0, 0, 0];
  for (let to = scores.length - 1; to >= 0;) {
    const score = scores[to];
    const before = found;
    for (; to >= 0 && scores[to] === score; to--) {
      seen += 1;
      found += positive[to];
    }
    area += ((found - before) / positives.length) * (found / seen);
  }
  return area;
}

/** Both together, ascending by score; `positive` is 1 for a positive. NaN equals nothing, so that with it there is no order. */
function ranked(positives: Vector, negatives: Vector): {scores: Float64Array; positive: Uint8Array; ordered: boolean} {
  const all = Float64Array.from([...Array.from(positives), ...Array.from(negatives)]);
  const order = Array.from(all.keys()).sort((a, b) => (all[a] < all[b] ? -1 : Number(all[a] > all[b])));
  return {
    ordered: !all.includes(NaN),
    scores: Float64Array.from(order, (at) => all[at]),
    positive: Uint8Array.from(order, (at) => Number(at < positives.length)),
  };
}
