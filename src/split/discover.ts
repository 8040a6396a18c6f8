import {numberText} from '../common/numbers';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {readable} from '../common/readable';
import {counted} from '../common/words';
import type {LabelledImages, PresetOption} from '../images/types';
import {firing} from '../network/firing';
import type {Model} from '../network/types';
import {silhouette, sphericalClusters} from '../numerics/kmeans';
import {runPass, type BatchCollector} from '../pass/runPass';
import {linearLayer} from '../network/linearLayer';
import {patches} from './patches';

export interface DiscoverOptions extends LongCallOptions {
  layer: string;
  /** Number of clusters. @default that of 2 to 6 whose silhouette is highest */
  count?: number;
  /** Images that are clustered, at most. @default 400 */
  most?: number;
  /** Exemplars a cluster. @default 8 */
  exemplars?: number;
  /** Seed of the clusters' starts. @default 0 */
  seed?: number;
  preset?: PresetOption;
  /** Images a batch. @default 32 */
  batchSize?: number;
}

/** The strongest position of a channel in an image. */
export interface Exemplar {
  /** Index into the images' list, and its path. */
  index: number;
  path: string;
  /** Row and column of the layer's output, and where its centre lies in the image, 0..1. */
  position: [number, number];
  centre: [number, number];
  /** How far the output is beyond the threshold of firing. */
  value: number;
}

export interface DiscoveredConcept {
  /** Images of the cluster, and all of them by index into the list. */
  size: number;
  images: number[];
  /** Mean contribution of each source, [Cin]. */
  contribution: Float64Array;
  /** Images spread over the strata of the output, strongest first. */
  exemplars: Exemplar[];
}

export interface DiscoveredConcepts {
  readonly kind: 'discovered concepts';
  layer: string;
  channel: number;
  /** Images in which the channel fires, and of how many. */
  fires: number;
  of: number;
  /** Largest first. */
  concepts: DiscoveredConcept[];
  /** Mean silhouette by number of clusters. */
  silhouettes: {count: number; silhouette: number}[];
  toString(): string;
}

/** A strongest position counts from this share of the channel's strong outputs on. */
const STRONG = 0.25;
const COUNTS = [2, 3, 4, 5, 6];

interface Found extends Exemplar {
  contribution: Float32Array;
}

/**
 * What a channel answers to, without labels: the contributions w ⊙ x at its strongest position in each image, sampled evenly over the
 * strata of its output (the highest alone may all be of one kind), scaled to length 1 and clustered by k-means. The number of clusters
 * is the one with the highest mean silhouette; on channels that were taught what they mean it is right for about two of three, and it
 * does not tell channels with one meaning from those with several (test/bench/README.md).
 * @throws InputError for an unknown layer or channel, a count out of range, or a channel that hardly ever fires
 */
export async function discoverConcepts(
  model: Model,
  images: LabelledImages,
  channel: number,
  options: DiscoverOptions,
): Promise<DiscoveredConcepts> {
  const {layer: name, count, most = 400, exemplars = 8, seed = 0} = options;
  const layer = linearLayer(model.graph, name);
  const [, , inputs, outputs] = layer.shape;
  if (!Number.isInteger(channel) || channel < 0 || channel >= outputs)
    throw new InputError(`invalid channel: ${channel}; layer ${name} has channels 0 to ${outputs - 1}`);
  if (count !== undefined && !(Number.isInteger(count) && count >= 1))
    throw new InputError(`invalid number of clusters: ${count}; give a whole number from 1`);
  const found = await strongest(model, images, channel, options);
  const top = [...found].sort((a, b) => b.value - a.value);
  const level = STRONG * (top[Math.floor(0.02 * top.length)]?.value ?? 0);
  const strong = top.filter(({value}) => value >= level);
  const sampled = Math.min(most, strong.length);
  const sample = Array.from({length: sampled}, (_, n) => strong[Math.floor((n * strong.length) / sampled)]);
  const needed = 4 * (count ?? 2);
  if (sample.length < needed) {
    throw new InputError(
      `channel ${channel} of ${name} fires in ${counted(found.length, 'image')} of ${images.paths.length}, too few for ${count ?? 2} clusters; ${needed} are needed`,
    );
  }
  const vectors = sample.map(({contribution}) => contribution);
  const counts = count === undefined ? COUNTS.filter((k) => 4 * k <= sample.length) : [count];
  const tried = counts.map((k) => {
    const clusters = sphericalClusters(vectors, k, {seed});
    return {count: k, ...clusters, silhouette: k > 1 ? silhouette(vectors, clusters.owners) : NaN};
  });
  const best = tried.reduce((a, b) => (b.silhouette > a.silhouette ? b : a));
  const concepts = best.sizes.map((size, j): DiscoveredConcept => {
    const own = sample.filter((_, n) => best.owners[n] === j);
    const contribution = new Float64Array(inputs);
    for (const one of own) one.contribution.forEach((value, i) => (contribution[i] += value / own.length));
    const shown = Math.min(exemplars, own.length);
    const strata = Array.from({length: shown}, (_, n) => own[Math.floor((n * own.length) / shown)]);
    return {
      size,
      images: own.map(({index}) => index).sort((a, b) => a - b),
      contribution,
      exemplars: strata.map(({index, path, position, centre, value}) => ({index, path, position, centre, value})),
    };
  });
  const result: Omit<DiscoveredConcepts, 'toString'> = {
    kind: 'discovered concepts',
    layer: name,
    channel,
    fires: found.length,
    of: images.paths.length,
    concepts,
    silhouettes: tried.map((one) => ({count: one.count, silhouette: one.silhouette})),
  };
  return readable(result as DiscoveredConcepts, describe);
}

/** The strongest position of each image in which the channel fires. */
async function strongest(
  model: Model,
  images: LabelledImages,
  channel: number,
  {layer: name, preset, batchSize, progress, signal}: DiscoverOptions,
): Promise<Found[]> {
  const layer = linearLayer(model.graph, name);
  const [kh, kw, inputs, outputs] = layer.shape;
  const taps = kh * kw;
  const {sign, threshold} = firing(model.graph, name);
  const kernel = Float32Array.from({length: taps * inputs}, (_, at) => layer.kernel[at * outputs + channel]);
  const collector: BatchCollector = {
    init: (): Found[] => [],
    measure(batch) {
      const z = batch.output(); // [B, H', W', Cout]
      const [count, height, width] = z.shape;
      const own = tf.reshape(tf.slice(z, [0, 0, 0, channel], [-1, -1, -1, 1]), [count, height * width]);
      const beyond = tf.mul(tf.sub(own, threshold[channel]), sign[channel]); // [B, P]
      const at = tf.argMax(beyond, 1); // [B]
      const rows = tf.add(tf.mul(tf.range(0, count, 1, 'int32'), height * width), at);
      const seen = tf.gather(patches(layer, batch.input()), tf.cast(rows, 'int32')); // [B, taps·Cin]
      const parts = tf.reshape(tf.mul(seen, tf.tensor1d(kernel)), [count, taps, inputs]);
      return {
        at,
        value: tf.max(beyond, 1),
        contributions: tf.mul(tf.sum(parts, 1), sign[channel]), // [B, Cin]
        size: tf.tensor1d([height, width], 'int32'),
      };
    },
    add(state, {indices, paths}, {at, value, contributions, size}) {
      const [height, width] = size;
      paths.forEach((path, b) => {
        if (!(value[b] > 0)) return;
        const position: [number, number] = [Math.floor(at[b] / width), at[b] % width];
        (state as Found[]).push({
          index: indices[b],
          path,
          position,
          centre: [(position[0] + 0.5) / height, (position[1] + 0.5) / width],
          value: value[b],
          contribution: Float32Array.from(contributions.subarray(b * inputs, (b + 1) * inputs)),
        });
      });
    },
  };
  const label = `looking for what channel ${channel} of ${name} answers to`;
  const pass = {layers: [name], label, preset, batchSize, progress, signal};
  const [[state]] = await runPass(model, images, pass, [collector]);
  return state as Found[];
}

function describe({layer, channel, fires, of, concepts, silhouettes}: DiscoveredConcepts): string {
  const tried = silhouettes
    .filter((one) => Number.isFinite(one.silhouette))
    .map((one) => `${one.count}: ${numberText(one.silhouette)}`);
  return [
    `channel ${channel} of layer ${layer} fires in ${counted(fires, 'image')} of ${of}; ${counted(concepts.length, 'cluster')}` +
      (tried.length > 0 ? ` (silhouette by number, ${tried.join(', ')})` : ''),
    ...concepts.map(({size, exemplars}, j) => {
      const shown = exemplars.slice(0, 3).map(({path}) => path);
      return `  ${j + 1}: ${counted(size, 'image')}, such as ${shown.join(', ')}`;
    }),
  ].join('\n');
}
