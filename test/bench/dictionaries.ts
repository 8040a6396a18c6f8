/**
 * What others divide a channel by: k-means of contributions (PURE), non-negative matrix factorization and a sparse autoencoder of the
 * layer's inputs. None of them is a rule of the package; `baselines.ts` measures them.
 */
import * as tf from '@tensorflow/tfjs-core';
import {POSITIONS, shows, type KnownActivations} from '../../src/known/activations';
import {CLASS_PARTS, sharedParts} from '../../src/known/parts';
import {permutation} from '../../src/common/random';
import {pearson} from '../../src/numerics/agreement';
import {sphericalClusters} from '../../src/numerics/kmeans';
import {auroc} from '../../src/numerics/ranking';
import {cosine, mean} from '../../src/numerics/vectors';
import {sampleStrata} from '../../src/split/discover';

export const NMF = {atoms: 48, steps: 150};
export const SAE = {atoms: 192, steps: 1500, batch: 512, rate: 2e-3, sparsity: 0.02};

/** Codes of the fitted and of the held positions, and what each atom adds to the inputs, [atoms, Cin]. */
export interface Dictionary {
  fit: Float32Array;
  held: Float32Array;
  atoms: Float32Array;
  count: number;
}

/** Classes that hold one part of a code and no other, by part. */
export const classesOfParts = (code: readonly number[]) =>
  code.map((part) => CLASS_PARTS.map((_, k) => k).filter((k) => sharedParts(code, k).join() === String(part)));

/** Parts from atoms: each goes to the part whose classes it feeds most, as a source does by the published rule. */
export function divided(
  {fit: codes, held, atoms, count}: Dictionary,
  {labels, kernel, channels}: KnownActivations,
  channel: number,
  code: readonly number[],
): Float64Array[] {
  const {inputs: I, outputs: C} = channels;
  const weights = Float64Array.from({length: count}, (_, a) => {
    let sum = 0;
    for (let i = 0; i < I; i++) sum += atoms[a * I + i] * kernel[i * C + channel];
    return sum;
  });
  const fed = classesOfParts(code).map((classes) => {
    const sums = new Float64Array(count);
    let images = 0;
    labels.forEach((label, n) => {
      if (!classes.includes(label)) return;
      images += 1;
      for (let p = 0; p < POSITIONS; p++)
        for (let a = 0; a < count; a++) sums[a] += codes[(n * POSITIONS + p) * count + a] * weights[a];
    });
    return sums.map((sum) => sum / images);
  });
  const owner = Int32Array.from({length: count}, (_, a) => {
    const values = fed.map((sums) => sums[a]);
    return values.indexOf(Math.max(...values));
  });
  return code.map((_, j) => {
    const part = new Float64Array(held.length / count);
    for (let at = 0; at < part.length; at++)
      for (let a = 0; a < count; a++) if (owner[a] === j) part[at] += held[at * count + a] * weights[a];
    return part;
  });
}

/** The channel's output where what it reads is nearest to the centre of a cluster, 0 elsewhere; clusters know no label. */
export function clustered(fit: KnownActivations, held: KnownActivations, channel: number, k: number): Float64Array[] {
  const {inputs: I, outputs: C} = fit.channels;
  const read = ({inputs, kernel}: KnownActivations, at: number) =>
    Float64Array.from({length: I}, (_, i) => inputs[at * I + i] * kernel[i * C + channel]);
  const places = Array.from(fit.labels.keys()).map((n) => {
    let best = n * POSITIONS;
    for (let at = best; at < (n + 1) * POSITIONS; at++)
      if (fit.outputs[at * C + channel] > fit.outputs[best * C + channel]) best = at;
    return {at: best, value: fit.outputs[best * C + channel]};
  });
  const vectors = sampleStrata(
    places.filter(({value}) => value > 0),
    240,
  ).map(({at}) => read(fit, at));
  const {owners} = sphericalClusters(vectors, k);
  const centres = Array.from({length: k}, (_, j) => {
    const sum = new Float64Array(I);
    vectors.forEach((x, n) => {
      if (owners[n] === j) x.forEach((value, i) => (sum[i] += value / Math.hypot(...x)));
    });
    return sum;
  });
  const parts = centres.map(() => new Float64Array(held.labels.length * POSITIONS));
  for (let at = 0; at < parts[0].length; at++) {
    const z = held.outputs[at * C + channel];
    if (!(z > 0)) continue;
    const x = read(held, at);
    const near = centres.map((centre) => cosine(x, centre));
    parts[near.indexOf(Math.max(...near))][at] = z;
  }
  return parts;
}

/** The scores of `known/splitting.ts`; of parts without labels those of the assignment that is best. */
export function scored(
  parts: readonly Float64Array[],
  channel: number,
  code: readonly number[],
  held: KnownActivations,
): {own: number; r: number} {
  const z = outputOf(held, channel);
  const score = (d: Float64Array, part: number) => {
    const [own, other]: number[][] = [[], []];
    const truth = new Float64Array(z.length);
    for (let n = 0; n < held.labels.length; n++) {
      for (let p = 0; p < POSITIONS; p++) {
        const at = n * POSITIONS + p;
        const here = code.filter((one) => shows(held, n, p, [one]));
        if (here.length === 1 && here[0] === part) {
          own.push(d[at]);
          truth[at] = Math.max(z[at], 0);
        } else if (here.length > 0 && !here.includes(part)) other.push(d[at]);
      }
    }
    return {own: auroc(own, other), r: pearson(d, truth)};
  };
  const table = parts.map((d) => code.map((part) => score(d, part)));
  const assigned = orders(code.length).map((order) => order.map((j, l) => table[j][l]));
  const value = (all: {own: number}[]) => mean(all.map(({own}) => own));
  const best = assigned.reduce((a, b) => (value(b) > value(a) ? b : a));
  return {own: value(best), r: mean(best.map(({r}) => r))};
}

export function outputOf({outputs, channels, labels}: KnownActivations, channel: number): Float64Array {
  return Float64Array.from({length: labels.length * POSITIONS}, (_, at) => outputs[at * channels.outputs + channel]);
}

function orders(count: number): number[][] {
  if (count === 1) return [[0]];
  return orders(count - 1).flatMap((order) =>
    Array.from({length: count}, (_, at) => [...order.slice(0, at), count - 1, ...order.slice(at)]),
  );
}

/** X ≈ C·A with nothing negative, by the multiplicative steps of Lee and Seung (2001). */
export function factorized(fit: Float32Array, held: Float32Array, size: number, options = NMF): Dictionary {
  const steps = (x: tf.Tensor2D, first: tf.Tensor2D, learn: boolean): [tf.Tensor2D, tf.Tensor2D] => {
    let atoms = first;
    let codes = tf.randomUniform([x.shape[0], options.atoms], 0.1, 1, 'float32', 1) as tf.Tensor2D;
    for (let step = 0; step < options.steps; step++) {
      const next = tf.tidy(() => {
        const up = tf.matMul(x, atoms, false, true);
        const down = tf.add(tf.matMul(codes, tf.matMul(atoms, atoms, false, true)), 1e-6);
        const c = tf.mul(codes, tf.div(up, down)) as tf.Tensor2D;
        if (!learn) return [c];
        const right = tf.add(tf.matMul(tf.matMul(c, c, true), atoms), 1e-6);
        return [c, tf.mul(atoms, tf.div(tf.matMul(c, x, true), right)) as tf.Tensor2D];
      });
      codes.dispose();
      codes = next[0];
      if (learn) {
        if (step > 0) atoms.dispose();
        atoms = next[1];
      }
    }
    return [codes, atoms];
  };
  const shape: [number, number] = [fit.length / size, size];
  const start = tf.randomUniform([options.atoms, size], 0.1, 1, 'float32', 2) as tf.Tensor2D;
  const [codes, atoms] = steps(tf.tensor2d(fit, shape), start, true);
  const [other] = steps(tf.tensor2d(held, [held.length / size, size]), atoms, false);
  const [a, b, c] = [codes, other, atoms].map((one) => one.dataSync() as Float32Array);
  return {fit: a, held: b, atoms: c, count: options.atoms};
}

/** x ≈ b + relu(E·(x − b) + c)·D with a penalty on the codes' sum, by Adam; atoms of length 1. */
export function autoencoded(fit: Float32Array, held: Float32Array, size: number, options = SAE): Dictionary {
  const x = tf.tensor2d(fit, [fit.length / size, size]);
  const scale = 1 / Math.sqrt(tf.mean(tf.square(x)).dataSync()[0]);
  const D = tf.variable(tf.randomNormal([options.atoms, size], 0, 1 / Math.sqrt(size), 'float32', 3));
  const E = tf.variable(tf.transpose(D));
  const c = tf.variable(tf.zeros([options.atoms]));
  const b = tf.variable(tf.mul(tf.mean(x, 0), scale));
  const atoms = () => tf.div(D, tf.norm(D, 'euclidean', 1, true)) as tf.Tensor2D;
  const encode = (rows: tf.Tensor) =>
    tf.relu(tf.add(tf.matMul(tf.sub(tf.mul(rows, scale), b) as tf.Tensor2D, E as unknown as tf.Tensor2D), c));
  const order = permutation(x.shape[0], 1);
  const optimizer = tf.train.adam(options.rate);
  for (let step = 0; step < options.steps; step++) {
    tf.tidy(() => {
      const from = (step * 7919 * options.batch) % (x.shape[0] - options.batch);
      const rows = tf.gather(x, tf.tensor1d(order.subarray(from, from + options.batch), 'int32')); // [B, Cin]
      optimizer.minimize(() => {
        const codes = encode(rows) as tf.Tensor2D;
        const back = tf.add(tf.matMul(codes, atoms()), b);
        const error = tf.mean(tf.sum(tf.square(tf.sub(back, tf.mul(rows, scale))), 1));
        return tf.add(error, tf.mul(tf.mean(tf.sum(codes, 1)), options.sparsity * size)) as tf.Scalar;
      });
    });
  }
  const codesOf = (data: Float32Array) =>
    tf.tidy(() => tf.div(encode(tf.tensor2d(data, [data.length / size, size])), scale).dataSync() as Float32Array);
  return {
    fit: codesOf(fit),
    held: codesOf(held),
    atoms: tf.tidy(() => atoms().dataSync() as Float32Array),
    count: options.atoms,
  };
}
