import {inverse, Matrix} from 'ml-matrix';
import type {LinearLayer} from '../../src/network/linearLayer';

/** The splitting rules straight from their formulas: every patch in a list, every matrix inverted. */

/** Values of one concept's images: X of each, [H, W, Cin] row-major. */
export interface OracleConcept {
  images: Float32Array[];
  height: number;
  width: number;
}

/** x at each output position of each image, [positions][taps·Cin], zeros where a tap falls beside the image. */
export function slowPatches(layer: LinearLayer, {images, height, width}: OracleConcept): number[][] {
  const [kh, kw, channels] = layer.shape;
  const places = (size: number, taps: number, stride: number, dilation: number) => {
    const extent = (taps - 1) * dilation + 1;
    const outputs = layer.padding === 'same' ? Math.ceil(size / stride) : Math.floor((size - extent) / stride) + 1;
    const padding = layer.padding === 'same' ? Math.max((outputs - 1) * stride + extent - size, 0) : 0;
    return {outputs, at: (output: number, tap: number) => output * stride + tap * dilation - Math.floor(padding / 2)};
  };
  const rows = places(height, kh, layer.strides[0], layer.dilation[0]);
  const columns = places(width, kw, layer.strides[1], layer.dilation[1]);
  return images.flatMap((image) =>
    Array.from({length: rows.outputs * columns.outputs}, (_, position) => {
      const patch: number[] = [];
      for (let a = 0; a < kh; a++) {
        for (let b = 0; b < kw; b++) {
          const y = rows.at(Math.floor(position / columns.outputs), a);
          const x = columns.at(position % columns.outputs, b);
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          for (let i = 0; i < channels; i++) patch.push(inside ? image[(y * width + x) * channels + i] : 0);
        }
      }
      return patch;
    }),
  );
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: number[]) => {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
};
const correlation = (a: number[], b: number[]) => {
  const [ma, mb] = [average(a), average(b)];
  const product = average(a.map((value, n) => (value - ma) * (b[n] - mb)));
  return product / Math.sqrt(average(a.map((v) => (v - ma) ** 2)) * average(b.map((v) => (v - mb) ** 2)));
};
/** E[f fᵀ] */
const secondMoment = (rows: number[][]) => new Matrix(rows).transpose().mmul(new Matrix(rows)).div(rows.length);
const ones = (n: number) => Matrix.ones(n, 1);
const trace = (matrix: Matrix) => matrix.diagonal().reduce((sum, value) => sum + value, 0);

/** Rows where the channel is active; the 20 highest where fewer than 20 are. */
function active(rows: number[][], m: number[], least = 0): number[][] {
  const positive = rows.filter((_, n) => m[n] > least);
  if (positive.length >= 20) return positive;
  const order = m.map((_, n) => n).sort((a, b) => m[b] - m[a]);
  return order.slice(0, 20).map((n) => rows[n]);
}

export interface OracleProblem {
  layer: LinearLayer;
  channel: number;
  /** w, [taps·Cin] */
  kernel: number[];
  concepts: OracleConcept[];
  background?: OracleConcept;
}

function contributions({layer, kernel}: OracleProblem, concept: OracleConcept): number[][] {
  const channels = layer.shape[2];
  return slowPatches(layer, concept).map((patch) =>
    Array.from({length: channels}, (_, i) =>
      patch.reduce((sum, value, at) => (at % channels === i ? sum + value * kernel[at] : sum), 0),
    ),
  );
}

const simplex = (raw: number[][]): number[][] => {
  const clipped = raw.map((lambda) => lambda.map((value) => Math.min(1, Math.max(0, value))));
  return clipped.map((lambda) => lambda.map((value, i) => value / clipped.reduce((sum, other) => sum + other[i], 0)));
};

/** λ, [k][Cin] */
export function slowGatedWiener(problem: OracleProblem): number[][] {
  const gated = problem.concepts.map((concept) => {
    const c = contributions(problem, concept);
    return active(
      c,
      c.map((row) =>
        dot(
          row,
          row.map(() => 1),
        ),
      ),
    );
  });
  const M = gated.map(secondMoment);
  const k = M.length;
  const S = M.reduce((sum, one) => Matrix.add(sum, one));
  const n = S.rows;
  const s = trace(S) / n;
  const solve = inverse(Matrix.add(S, Matrix.eye(n).mul(s)));
  return simplex(M.map((one) => solve.mmul(Matrix.add(one.mmul(ones(n)), ones(n).mul(s / k))).to1DArray()));
}

/** λ, [k][Cin], and t. */
export function slowEnergyMatch(problem: OracleProblem): {ownership: number[][]; scale: number} {
  const all = problem.concepts.map((concept) => contributions(problem, concept));
  const m = all.map((rows) => rows.map((row) => row.reduce((sum, value) => sum + value, 0)));
  const gated = all.map((rows, j) => active(rows, m[j]));
  const k = all.length;
  const n = all[0][0].length;
  const column = (rows: number[][], i: number) => rows.map((row) => row[i]);
  const g = gated.map((rows) =>
    Array.from(
      {length: n},
      (_, i) => average(column(rows, i)) / Math.sqrt(average(gated.map((one) => variance(column(one, i))))),
    ),
  );
  const M = gated.map(secondMoment);
  const S = M.reduce((sum, one) => Matrix.add(sum, one));
  const solve = inverse(Matrix.add(S, Matrix.eye(n).mul((3 * trace(S)) / n)));
  const v = M.map((one) => solve.mmul(one.mmul(ones(n))).to1DArray());
  const standard = (direction: number[][]) => {
    const centred = direction.map((u) => u.map((value, i) => value - average(column(direction, i))));
    const size = average(centred.flat().map(Math.abs));
    return centred.map((u) => u.map((value) => value / size));
  };
  const [G, V] = [standard(g), standard(v)];
  const u = G.map((one, j) => one.map((value, i) => value + V[j][i]));
  const along = u.map((one) => all.flatMap((rows) => rows.map((row) => dot(row, one))));
  const scale = Math.max(
    0,
    average(
      u.map((_, j) =>
        correlation(
          along[j],
          m.flatMap((values, c) => values.map((value) => Math.max(0, value) * ((c === j ? 1 : 0) - 1 / k))),
        ),
      ),
    ),
  );
  const step = Math.sqrt((variance(m.flat()) * (1 - 1 / k)) / along.reduce((sum, values) => sum + variance(values), 0));
  return {ownership: simplex(u.map((one) => one.map((value) => 1 / k + scale * step * value))), scale};
}

/** e ↦ w/k + U_j(e), [k][taps·Cin], and the patches of each concept's images. */
function slowRidge(problem: OracleProblem): {at: (ridge: number) => number[][]; all: number[][][]} {
  const {layer, channel, kernel: w} = problem;
  const [kh, kw, sources, outputs] = layer.shape;
  const taps = kh * kw;
  const D = w.length;
  const all = problem.concepts.map((concept) => slowPatches(layer, concept));
  const k = all.length;
  const M = all.map((rows) =>
    secondMoment(
      active(
        rows,
        rows.map((row) => dot(row, w)),
      ),
    ),
  );
  let T = M.reduce((sum, one) => Matrix.add(sum, one));
  if (problem.background) T = Matrix.add(T, secondMoment(slowPatches(layer, problem.background)));
  const s = average(w.map((weight) => weight ** 2));
  const power = Array.from({length: sources}, (_, i) =>
    average(Array.from({length: taps}, (_tap, tap) => w[tap * sources + i] ** 2)),
  );
  const others = Array.from({length: outputs}, (_, c) => c)
    .filter((c) => c !== channel)
    .map((c) => Array.from({length: D}, (_, at) => layer.kernel[at * outputs + c]));
  const K = secondMoment(others);
  const meanDiagonal = trace(K) / D;
  const P = new Matrix(
    Array.from({length: D}, (_, a) =>
      Array.from({length: D}, (_unused, b) => {
        const same = a === b ? 1 : 0;
        const block = a % sources === b % sources ? w[a] * w[b] : 0;
        return block + same * (0.3 * power[a % sources] + 0.3 * s + 1e-4 * s) + (0.3 * s * K.get(a, b)) / meanDiagonal;
      }),
    ),
  );
  const TP = T.mmul(P);
  const W = Matrix.columnVector(w);
  const answers = M.map((one) => one.mmul(W));
  const mean = answers.reduce((sum, one) => Matrix.add(sum, one)).div(k);
  const at = (ridge: number) => {
    const solve = P.mmul(inverse(Matrix.add(TP, Matrix.eye(D).mul((ridge * trace(TP)) / D))));
    return answers.map((answer) => Matrix.add(solve.mmul(Matrix.sub(answer, mean)), Matrix.div(W, k)).to1DArray());
  };
  return {at, all};
}

/** Kernels, [k][taps·Cin], and e. */
export function slowGatedRidge(problem: OracleProblem): {kernels: number[][]; ridge: number} {
  const {at, all} = slowRidge(problem);
  const rows = all.flat();
  const most = variance(rows.map((row) => dot(row, problem.kernel)));
  for (let i = 0; i <= 24; i++) {
    const ridge = 10 ** (i / 6);
    const kernels = at(ridge);
    const energy = kernels.reduce((sum, part) => sum + variance(rows.map((row) => dot(row, part))), 0);
    if (energy <= most || i === 24) return {kernels, ridge};
  }
  throw new Error('unreachable');
}

/** Directions from the parts at w/k, their scale t, and the step that t counts. */
function slowEnergyStep({kernel: w}: OracleProblem, all: readonly number[][][], parts: readonly number[][]) {
  const k = all.length;
  const U = parts.map((part) => part.map((value, i) => value - w[i] / k));
  const m = all.map((rows) => rows.map((row) => dot(row, w)));
  const along = U.map((u) => all.flat().map((row) => dot(row, u)));
  const target = (j: number) =>
    m.flatMap((values, c) => values.map((value) => Math.max(0, value) * ((c === j ? 1 : 0) - 1 / k)));
  const scale = Math.max(0, average(along.map((values, j) => correlation(values, target(j)))));
  const step = Math.sqrt((variance(m.flat()) * (1 - 1 / k)) / along.reduce((sum, values) => sum + variance(values), 0));
  return {U, scale, step};
}

/** Kernels, [k][taps·Cin], and t. */
export function slowScaledRidge(problem: OracleProblem): {kernels: number[][]; scale: number} {
  const {at, all} = slowRidge(problem);
  const {U, scale, step} = slowEnergyStep(problem, all, at(3));
  const w = problem.kernel;
  return {kernels: U.map((u) => u.map((value, i) => w[i] / all.length + scale * step * value)), scale};
}

/** Kernels, [k][taps·Cin]. */
export function slowFreeRidge(problem: OracleProblem, fires: number): number[][] {
  const {layer, kernel: w, concepts, background} = problem;
  const k = concepts.length;
  const all = concepts.map((concept) => slowPatches(layer, concept));
  const M = all.map((rows) =>
    secondMoment(
      active(
        rows,
        rows.map((row) => dot(row, w)),
        fires,
      ),
    ),
  );
  const none = Matrix.zeros(w.length, w.length);
  const S = background ? secondMoment(slowPatches(layer, background)) : none;
  const T = M.reduce((sum, one) => Matrix.add(sum, one), S);
  const shift = trace(T) / w.length;
  const W = Matrix.columnVector(w);
  const solve = inverse(Matrix.add(T, Matrix.eye(w.length).mul(shift)));
  const parts = M.map((one) => {
    const shared = Matrix.add(S.mmul(W), Matrix.mul(W, shift)).div(k);
    return solve.mmul(Matrix.add(one.mmul(W), shared)).to1DArray();
  });
  const {U, scale, step} = slowEnergyStep(problem, all, parts);
  return U.map((u) => u.map((value, i) => w[i] / k + scale * step * value));
}

/** λ of each concept, [k][Cin]: 0 where another concept contributes more where the channel fires, by the factor 1/ρ. */
export function slowGatedPublished(problem: OracleProblem, fires: number, rho: number): number[][] {
  const means = problem.concepts.map((concept) => {
    const c = contributions(problem, concept);
    const m = c.map((row) => row.reduce((sum, value) => sum + value, 0));
    const rows = active(c, m, fires);
    return rows[0].map((_, i) => average(rows.map((row) => row[i])));
  });
  const owner = means[0].map((_, i) =>
    means.findIndex((own, j) => means.every((other, l) => l === j || rho * own[i] > other[i])),
  );
  return means.map((_, j) => owner.map((one) => (one === j || one === -1 ? 1 : 0)));
}
