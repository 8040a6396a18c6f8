/** Variance of a stream in one pass (Welford 1962), n − 1 in the denominator. */
export interface RunningVariance {
  add(value: number): void;
  /** 0 of fewer than two values. */
  variance(): number;
}

export function runningVariance(): RunningVariance {
  let [count, mean, squares] = [0, 0, 0];
  return {
    add(value) {
      count += 1;
      const before = value - mean;
      mean += before / count;
      squares += before * (value - mean);
    },
    variance: () => (count > 1 ? squares / (count - 1) : 0),
  };
}

/** Pearson's correlation of a stream of pairs in one pass. */
export interface RunningCorrelation {
  add(a: number, b: number): void;
  /** Variance of the first values. */
  variance(): number;
  /** 0 where either is constant. */
  correlation(): number;
}

export function runningCorrelation(): RunningCorrelation {
  let [count, meanA, meanB, squaresA, squaresB, products] = [0, 0, 0, 0, 0, 0];
  return {
    add(a, b) {
      count += 1;
      const [beforeA, beforeB] = [a - meanA, b - meanB];
      meanA += beforeA / count;
      meanB += beforeB / count;
      squaresA += beforeA * (a - meanA);
      squaresB += beforeB * (b - meanB);
      products += beforeA * (b - meanB);
    },
    variance: () => (count > 1 ? squaresA / (count - 1) : 0),
    correlation: () => (squaresA > 0 && squaresB > 0 ? products / Math.sqrt(squaresA * squaresB) : 0),
  };
}
