/** Functions of one number. */

/** erf by its series, exact to float64 for the values of tests. */
export function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [total, term] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log(1 + Math.exp(x));
export const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

export const SLOW_ACTIVATIONS: Record<string, (x: number) => number> = {
  sigmoid,
  tanh: Math.tanh,
  swish: (x) => x * sigmoid(x),
  hard_swish: (x) => (x * clip(x + 3, 0, 6)) / 6,
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  mish: (x) => x * Math.tanh(softplus(x)),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1)),
  exponential: Math.exp,
  erf,
  sqrt: Math.sqrt,
  abs: Math.abs,
  negative: (x) => -x,
  reciprocal: (x) => 1 / x,
  log: Math.log,
  square: (x) => x * x,
  log_sigmoid: (x) => -softplus(-x),
};
