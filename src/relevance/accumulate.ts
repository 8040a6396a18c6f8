import {describeStatistics, type RelevanceStatistics, type TopImages} from '../numerics/statistics';
import type {LinearLayer} from '../network/linearLayer';
import {readable} from '../common/readable';

/** Streaming state of the one pass: created empty, added to a batch at a time, read as {@link RelevanceStatistics}. */

/** Shares below this are not kept; a τ below it is an error. */
export const DEFAULT_FLOOR = 0.005;

export interface EmptyStatistics {
  model: RelevanceStatistics['model'];
  layer: LinearLayer;
  classes: number;
  classNames: string[];
  preset: RelevanceStatistics['preset'];
  images: {name: string; listHash: string; total: number; labelsFile?: string};
  floor: number;
  /** Top images kept a channel, M. */
  topCount: number;
}

export function emptyStatistics(about: EmptyStatistics): RelevanceStatistics {
  const {layer, classes, topCount} = about;
  const [kh, kw, inputs, outputs] = layer.shape;
  const noTop = (): TopImages => ({
    images: new Int32Array(outputs * topCount).fill(-1),
    values: new Float32Array(outputs * topCount),
  });
  return withText({
    kind: 'relevance statistics',
    model: about.model,
    layer: {name: layer.name, kind: layer.kind, shape: layer.shape},
    kernel: layer.kernel,
    classes,
    classNames: about.classNames,
    preset: about.preset,
    images: {...about.images, done: 0, paths: [], labels: new Int32Array(0), skipped: []},
    counts: new Float64Array(2 * classes),
    inputSums: new Float64Array(2 * classes * kh * kw * inputs),
    shares: {
      floor: about.floor,
      offsets: new Int32Array(1),
      channels: new Int32Array(0),
      values: new Float32Array(0),
    },
    top: {count: topCount, relevance: noTop(), activation: noTop()},
    hits: new Float64Array(classes),
    zeroInputs: {zeros: 0, total: 0},
  });
}

/** Statistics as plain data that reads well in a cell. */
export function withText(stats: Omit<RelevanceStatistics, 'toString'>): RelevanceStatistics {
  return readable({...stats} as RelevanceStatistics, describeStatistics);
}

/** What the engine says about one batch of B images. */
export interface BatchMeasurement {
  paths: string[];
  labels: ArrayLike<number>;
  /** 0 or 1, [B]: the half that each image belongs to. */
  halves: ArrayLike<number>;
  /** R, [B, Cout] */
  relevance: ArrayLike<number>;
  /** Σ_hw relu(Z), [B, Cout] */
  activation: ArrayLike<number>;
  /** T, [B, taps, Cin] */
  inputSums: ArrayLike<number>;
  /** Class of the highest logit, [B] */
  predictions: ArrayLike<number>;
  zeroInputs: {zeros: number; total: number};
  skipped: {path: string; reason: string}[];
}

/** Adds a batch in place. */
export function addBatch(stats: RelevanceStatistics, batch: BatchMeasurement): void {
  const outputs = stats.layer.shape[3];
  const stride = stats.inputSums.length / (2 * stats.classes);
  const first = stats.images.paths.length;
  const channels: number[] = [];
  const values: number[] = [];
  const offsets: number[] = [];
  batch.paths.forEach((_, b) => {
    const k = batch.labels[b];
    const row = batch.halves[b] * stats.classes + k;
    stats.counts[row] += 1;
    for (let i = 0; i < stride; i++) stats.inputSums[row * stride + i] += batch.inputSums[b * stride + i];
    let positive = 0;
    for (let c = 0; c < outputs; c++) positive += Math.max(batch.relevance[b * outputs + c], 0);
    for (let c = 0; c < outputs; c++) {
      const relevance = batch.relevance[b * outputs + c];
      // Where no channel speaks for the class the sum is 0, and no channel is important.
      const share = positive > 0 ? relevance / positive : 0;
      if (share >= stats.shares.floor) {
        channels.push(c);
        values.push(share);
      }
      insertTop(stats.top.relevance, stats.top.count, c, first + b, relevance);
      insertTop(stats.top.activation, stats.top.count, c, first + b, batch.activation[b * outputs + c]);
    }
    offsets.push(stats.shares.channels.length + channels.length);
    if (batch.predictions[b] === k) stats.hits[k] += 1;
  });
  stats.images.paths.push(...batch.paths);
  stats.images.labels = appended(stats.images.labels, Int32Array.from(batch.labels));
  stats.images.skipped.push(...batch.skipped);
  stats.images.done += batch.paths.length + batch.skipped.length;
  stats.shares = {
    floor: stats.shares.floor,
    offsets: appended(stats.shares.offsets, Int32Array.from(offsets)),
    channels: appended(stats.shares.channels, Int32Array.from(channels)),
    values: appended(stats.shares.values, Float32Array.from(values)),
  };
  stats.zeroInputs = {
    zeros: stats.zeroInputs.zeros + batch.zeroInputs.zeros,
    total: stats.zeroInputs.total + batch.zeroInputs.total,
  };
}

function appended<A extends Int32Array | Float32Array>(a: A, b: A): A {
  const joined = new (a.constructor as new (length: number) => A)(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Keeps the `count` highest positive values of a channel, best first. */
function insertTop(top: TopImages, count: number, channel: number, image: number, value: number): void {
  const start = channel * count;
  const last = start + count - 1;
  if (count === 0 || !(value > 0) || (top.images[last] >= 0 && value <= top.values[last])) return;
  let at = last;
  while (at > start && (top.images[at - 1] < 0 || top.values[at - 1] < value)) {
    top.images[at] = top.images[at - 1];
    top.values[at] = top.values[at - 1];
    at -= 1;
  }
  top.images[at] = image;
  top.values[at] = value;
}

/**
 * The statistics of both: of shards of one run, or of two lists of images. The first one's images come first.
 * @throws Error where they are about different models, layers, classes or preprocessing
 */
export function mergeStatistics(a: RelevanceStatistics, b: RelevanceStatistics): RelevanceStatistics {
  const subject = (stats: RelevanceStatistics) =>
    JSON.stringify([stats.model.hash, stats.layer, stats.classes, stats.preset, stats.shares.floor, stats.top.count]);
  if (subject(a) !== subject(b)) {
    throw new Error('statistics of different models, layers, presets, floors or top counts cannot be merged');
  }
  const seen = new Set(a.images.paths);
  const twice = b.images.paths.find((path) => seen.has(path));
  if (twice !== undefined) throw new Error(`image "${twice}" is in both statistics; it would count twice`);
  const shift = a.images.paths.length;
  const plus = (x: Float64Array, y: Float64Array) => x.map((value, i) => value + y[i]);
  const entries = a.shares.channels.length;
  const sameRun = a.images.listHash === b.images.listHash;
  const merged: Omit<RelevanceStatistics, 'toString'> = {
    ...a,
    images: {
      name: a.images.name === b.images.name ? a.images.name : `${a.images.name} + ${b.images.name}`,
      listHash: sameRun ? a.images.listHash : `${a.images.listHash}+${b.images.listHash}`,
      total: sameRun ? a.images.total : a.images.total + b.images.total,
      done: a.images.done + b.images.done,
      paths: [...a.images.paths, ...b.images.paths],
      labels: appended(a.images.labels, b.images.labels),
      skipped: [...a.images.skipped, ...b.images.skipped],
    },
    counts: plus(a.counts, b.counts),
    inputSums: plus(a.inputSums, b.inputSums),
    shares: {
      floor: a.shares.floor,
      offsets: appended(
        a.shares.offsets,
        b.shares.offsets.slice(1).map((offset) => offset + entries),
      ),
      channels: appended(a.shares.channels, b.shares.channels),
      values: appended(a.shares.values, b.shares.values),
    },
    top: {
      count: a.top.count,
      relevance: mergedTop(a.top.relevance, b.top.relevance, a.top.count, shift),
      activation: mergedTop(a.top.activation, b.top.activation, a.top.count, shift),
    },
    hits: plus(a.hits, b.hits),
    zeroInputs: {
      zeros: a.zeroInputs.zeros + b.zeroInputs.zeros,
      total: a.zeroInputs.total + b.zeroInputs.total,
    },
  };
  return withText(merged);
}

function mergedTop(a: TopImages, b: TopImages, count: number, shift: number): TopImages {
  const merged = {images: a.images.slice(), values: a.values.slice()};
  b.images.forEach((image, at) => {
    if (image >= 0) insertTop(merged, count, Math.floor(at / count), image + shift, b.values[at]);
  });
  return merged;
}
