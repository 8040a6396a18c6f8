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

/** e ↦ w/k + U_j(e), [k][taps·Cin], from what is known of each concept where the channel is active. */
function slowRidge(problem: OracleProblem, concepts: readonly SlowFiring[]): (ridge: number) => number[][] {
  const {layer, channel, kernel: w} = problem;
  const [kh, kw, sources, outputs] = layer.shape;
  const taps = kh * kw;
  const D = w.length;
  const k = concepts.length;
  let T = concepts.reduce((sum, {M}) => Matrix.add(sum, M), Matrix.zeros(D, D));
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
  const answers = concepts.map(({q}) => Matrix.columnVector(q));
  const mean = answers.reduce((sum, one) => Matrix.add(sum, one)).div(k);
  return (ridge) => {
    const solve = P.mmul(inverse(Matrix.add(TP, Matrix.eye(D).mul((ridge * trace(TP)) / D))));
    return answers.map((answer) => Matrix.add(solve.mmul(Matrix.sub(answer, mean)), Matrix.div(W, k)).to1DArray());
  };
}

/** Kernels, [k][taps·Cin], and e. */
export function slowGatedRidge(problem: OracleProblem): {kernels: number[][]; ridge: number} {
  const all = problem.concepts.map((concept) => slowPatches(problem.layer, concept));
  const W = Matrix.columnVector(problem.kernel);
  const at = slowRidge(
    problem,
    all.map((patches) => {
      const M = secondMoment(
        active(
          patches,
          patches.map((row) => dot(row, problem.kernel)),
        ),
      );
      return {M, q: M.mmul(W).to1DArray()};
    }),
  );
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

/** M and E[x·z] over the positions where the channel fires, z by how much it does. */
interface SlowFiring {
  M: Matrix;
  q: number[];
}

/** Kernels w/k + t·step·U_j, [k][taps·Cin], and t; `fit` gives w/k + U_j. */
function slowDirected(
  problem: OracleProblem,
  fires: number,
  fit: (concepts: readonly SlowFiring[]) => number[][],
): {kernels: number[][]; scale: number} {
  const {layer, kernel: w} = problem;
  const k = problem.concepts.length;
  const even = w.map((weight) => weight / k);
  // By concept, then by half: the images by turns.
  const halves = problem.concepts.map((concept) =>
    [0, 1].map((half) => {
      const rows = slowPatches(layer, {...concept, images: concept.images.filter((_, n) => n % 2 === half)});
      const m = rows.map((row) => dot(row, w));
      const top = [...m].sort((a, b) => b - a).slice(0, 20);
      const lowest = Math.min(...top) - 1e-5 * Math.max(...top.map(Math.abs));
      const least = m.filter((value) => value > fires).length >= 20 ? fires : lowest;
      const firing = active(rows, m, fires).map((row) => ({row, z: dot(row, w) - least}));
      return {rows, m, least, firing};
    }),
  );
  const known = (which: readonly number[]) =>
    halves.map((both): SlowFiring => {
      const firing = which.flatMap((half) => both[half].firing);
      return {
        M: secondMoment(firing.map(({row}) => row)),
        q: w.map((_, i) => average(firing.map(({row, z}) => z * row[i]))),
      };
    });
  const directions = (which: readonly number[]) =>
    fit(known(which)).map((part) => part.map((value, i) => value - even[i]));
  /** Mean correlation of u_j·x with z·(1[concept j] − 1/k) where the channel fires, in some halves. */
  const agreement = (U: number[][], which: readonly number[]) =>
    average(
      U.map((u, j) => {
        const pairs = halves.flatMap((both, c) =>
          which.flatMap((half) =>
            both[half].rows.flatMap((row, n) => {
              const z = both[half].m[n] - both[half].least;
              return z > 0 ? [[dot(row, u), z * ((c === j ? 1 : 0) - 1 / k)]] : [];
            }),
          ),
        );
        return correlation(
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
        );
      }),
    );
  const divided = problem.concepts.every(({images}) => images.length > 1);
  const which = divided ? [0, 1] : [0];
  const U = directions(which);
  const own = agreement(U, which);
  const held = divided ? average([0, 1].map((half) => agreement(directions([half]), [1 - half]))) : own;
  const scale = held > 0 && own > 0 ? held * Math.min(1, held / own) : 0;
  const all = halves.flatMap((both) => which.flatMap((half) => both[half].rows));
  const energy = U.reduce((sum, u) => sum + variance(all.map((row) => dot(row, u))), 0);
  const step = Math.sqrt((variance(all.map((row) => dot(row, w))) * (1 - 1 / k)) / energy);
  return {kernels: U.map((u) => u.map((value, i) => even[i] + scale * step * value)), scale};
}

/** Kernels, [k][taps·Cin], and t. */
export function slowScaledRidge(problem: OracleProblem, fires = 0): {kernels: number[][]; scale: number} {
  return slowDirected(problem, fires, (concepts) => slowRidge(problem, concepts)(3));
}

/** Kernels, [k][taps·Cin]. */
export function slowFreeRidge(problem: OracleProblem, fires: number): number[][] {
  const {layer, kernel: w, background} = problem;
  const D = w.length;
  const S = background ? secondMoment(slowPatches(layer, background)) : Matrix.zeros(D, D);
  return slowDirected(problem, fires, (concepts) => {
    const T = concepts.reduce((sum, {M}) => Matrix.add(sum, M), S);
    const solve = inverse(Matrix.add(T, Matrix.eye(D).mul(trace(T) / D)));
    return concepts.map(({q}) => {
      const target = q.map((value, i) => value - average(concepts.map((one) => one.q[i])));
      return solve
        .mmul(Matrix.columnVector(target))
        .to1DArray()
        .map((value, i) => value + w[i] / concepts.length);
    });
  }).kernels;
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
