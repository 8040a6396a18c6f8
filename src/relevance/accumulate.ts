import {appended} from '../numerics/growing';
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
  attribution?: string;
  batchSize?: number;
  images: Pick<RelevanceStatistics['images'], 'name' | 'listHash' | 'total' | 'labelsFile' | 'shards' | 'check'>;
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
    ...(about.attribution !== undefined && {attribution: about.attribution}),
    ...(about.batchSize !== undefined && {batchSize: about.batchSize}),
    images: {
      ...about.images,
      done: 0,
      paths: [],
      labels: new Int32Array(0),
      skipped: [],
      ...(about.images.check && {stamps: new Int32Array(0)}),
    },
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
    confidence: new Float64Array(classes),
    zeroInputs: {zeros: 0, total: 0},
  });
}

/** Statistics as plain data that reads well in a cell. */
export function withText(stats: Omit<RelevanceStatistics, 'toString'>): RelevanceStatistics {
  return readable({...stats} as RelevanceStatistics, describeStatistics);
}

/** What the engine says about one batch of B images. */
export interface BatchMeasurement {
  paths: readonly string[];
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
  /** Its softmax probability, [B]. @default not recorded */
  confidence?: ArrayLike<number>;
  zeroInputs: {zeros: number; total: number};
  skipped?: {path: string; reason: string}[];
}

/** Adds a batch in place. */
export function addBatch(stats: RelevanceStatistics, batch: BatchMeasurement): void {
  const outputs = stats.layer.shape[3];
  const stride = stats.inputSums.length / (2 * stats.classes);
  const first = stats.images.paths.length;
  const channels: number[] = [];
  const values: number[] = [];
  const offsets: number[] = [];
  if (!batch.confidence) delete stats.confidence;
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
    if (stats.confidence && batch.confidence) stats.confidence[k] += batch.confidence[b];
  });
  for (const path of batch.paths) stats.images.paths.push(path);
  stats.images.labels = appended(stats.images.labels, batch.labels);
  stats.images.done += batch.paths.length;
  if (batch.skipped) {
    stats.images.skipped.push(...batch.skipped);
    stats.images.done += batch.skipped.length;
  }
  stats.shares = {
    floor: stats.shares.floor,
    offsets: appended(stats.shares.offsets, offsets),
    channels: appended(stats.shares.channels, channels),
    values: appended(stats.shares.values, values),
  };
  stats.zeroInputs = {
    zeros: stats.zeroInputs.zeros + batch.zeroInputs.zeros,
    total: stats.zeroInputs.total + batch.zeroInputs.total,
  };
}

/** Keeps the `count` highest positive values of a channel, best first. */
export function insertTop(top: TopImages, count: number, channel: number, image: number, value: number): void {
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
