import {numberText} from '../common/numbers';
import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {readable} from '../common/readable';
import {counted} from '../common/words';
import type {LabelledImages, Preset, PresetOption} from '../images/types';
import {linearLayer} from '../network/linearLayer';
import {checkChannel} from '../numerics/statistics';
import type {Model} from '../network/types';
import {silhouette, sphericalClusters} from '../numerics/kmeans';
import {towardsGroups} from '../numerics/shrink';
import {strongestPositions, type Exemplar, type Strongest} from './strongest';

export type {Exemplar} from './strongest';

export interface DiscoverOptions extends LongCallOptions {
  layer: string;
  /** Number of clusters. @default that of 2 to 6 whose silhouette is highest */
  count?: number;
  /** Images that are clustered, at most. @default 200 */
  most?: number;
  /** Exemplars a cluster. @default 8 */
  exemplars?: number;
  /**
   * Draw what the channel reads in an image towards the mean of the images that the network takes for the same class, so that differences
   * within classes, such as light and dark, do not outweigh what the channel tells apart. @default true
   */
  predictions?: boolean;
  /** Seed of the clusters' starts. @default 0 */
  seed?: number;
  preset?: PresetOption;
  /** Images per batch. @default 32 */
  batchSize?: number;
}

export interface DiscoveredConcept {
  /** Images of the cluster, and all of them by index into the list and by path. */
  size: number;
  images: number[];
  paths: string[];
  /** Mean contribution of each source, [Cin], positive where it makes the channel fire. */
  contribution: Float64Array;
  /** Images spread over the strata of the output, strongest first; each says where in the image the channel looks. */
  exemplars: Exemplar[];
}

export interface DiscoveredConcepts {
  readonly kind: 'discovered concepts';
  layer: string;
  channel: number;
  /** Hash of the model that was looked into. */
  modelHash: string;
  preset: Preset;
  /** Share of the layer's inputs that are zero. */
  zeroInputShare: number;
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
const STRONG = 0.1;
/** An image is drawn with a probability proportional to this power of the channel's output. */
const POWER = 3;
/** Numbers of clusters that are tried. */
export const CLUSTER_COUNTS = [2, 3, 4, 5, 6];
/** Images that a cluster needs on average. */
const LEAST = 4;

/**
 * What a channel answers to, without labels: the contributions w ⊙ x at its strongest position in each image, sampled over the strata of
 * its output (the highest alone may all be of one kind) in proportion to its cube (weak outputs are of anything), scaled to length 1, drawn towards the mean of the images that the
 * network takes for the same class and clustered by k-means. The number of clusters is the one with the highest mean silhouette; on
 * channels that were taught what they mean it is right for about two of three, and it does not tell channels with one meaning from those
 * with several (test/bench/README.md). Any layer will do, an early one too; labels are not looked at.
 * @throws InputError for an unknown layer or channel, a count out of range, or a channel that hardly ever fires
 */
export async function discoverConcepts(
  model: Model,
  images: LabelledImages,
  channel: number,
  options: DiscoverOptions,
): Promise<DiscoveredConcepts> {
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('images', images, 'labelsFor', 'openImages(…)');
  if (typeof channel !== 'number' || typeof options?.layer !== 'string')
    throw new InputError('no channel or no layer; write discoverConcepts(model, images, 7, {layer: …})');
  const {layer: name, count, exemplars = 8, seed = 0} = options;
  checkOptions(model, channel, options);
  const {found, zeroInputShare, preset} = await strongestPositions(model, images, channel, options);
  const sample = sampleStrata(found, options.most);
  const needed = LEAST * (count ?? 2);
  if (sample.length < needed) {
    throw new InputError(
      `channel ${channel} of ${name} ${found.length === 0 ? `never fires in ${counted(images.paths.length, 'image')}` : `fires in ${counted(found.length, 'image')} of ${images.paths.length}`}${found.length > sample.length ? `, strongly in ${sample.length}` : ''}, too few for ${count ?? 2} clusters; ${needed} are needed, so give more images${count !== undefined && count > 2 ? ', fewer clusters' : ''} or another channel`,
    );
  }
  const vectors = clusteredVectors(sample, options.predictions ?? true);
  // Of what was read and not of what was drawn together, or there would be as many clusters as classes.
  const read = sample.map(({contribution}) => contribution);
  const counts = count === undefined ? CLUSTER_COUNTS.filter((k) => LEAST * k <= sample.length) : [count];
  const tried = counts.map((k) => {
    const clusters = sphericalClusters(vectors, k, {seed});
    return {count: k, ...clusters, silhouette: k > 1 ? silhouette(read, clusters.owners) : NaN};
  });
  // Contributions that are all alike leave clusters without an image.
  const filled = tried.filter(({sizes}) => sizes.every((size) => size > 0));
  if (filled.length === 0) {
    throw new InputError(
      `channel ${channel} of ${name} reads the same in ${counted(sample.length, 'image')}, which make no ${Math.min(...counts)} clusters; give images that differ${count === undefined ? '' : ', or fewer clusters'}`,
    );
  }
  const best = filled.reduce((a, b) => (b.silhouette > a.silhouette ? b : a));
  const concepts = best.sizes.map((_, j) =>
    conceptOf(
      sample.filter((_one, n) => best.owners[n] === j),
      exemplars,
    ),
  );
  const result: Omit<DiscoveredConcepts, 'toString'> = {
    kind: 'discovered concepts',
    layer: name,
    channel,
    modelHash: model.hash,
    preset,
    zeroInputShare,
    fires: found.length,
    of: images.paths.length,
    concepts,
    silhouettes: filled.map((one) => ({count: one.count, silhouette: one.silhouette})),
  };
  return readable(result as DiscoveredConcepts, describe);
}

function checkOptions(model: Model, channel: number, {layer: name, count, most = 200}: DiscoverOptions): void {
  checkChannel({layer: linearLayer(model.graph, name)}, channel);
  if (count !== undefined && !(Number.isInteger(count) && count >= 1))
    throw new InputError(`invalid number of clusters: ${count}; give a whole number from 1`);
  if (!(Number.isInteger(most) && most >= 8))
    throw new InputError(`invalid number of images to cluster: ${most}; give a whole number from 8, such as 200`);
}

/**
 * Images in which the channel fires, strongest first: a systematic sample with probabilities proportional to the cube of its output, each
 * image once. So all strata are in it, and weak outputs, which may be of anything, are few.
 * @param most draws; images that are drawn more than once make the sample smaller
 */
export function sampleStrata<T extends {value: number}>(found: readonly T[], most = 200): T[] {
  const top = [...found].sort((a, b) => b.value - a.value);
  const level = STRONG * (top[Math.floor(0.02 * top.length)]?.value ?? 0);
  const strong = top.filter(({value}) => value >= level);
  const weights = strong.map(({value}) => (value / top[0].value) ** POWER);
  const step = weights.reduce((sum, weight) => sum + weight, 0) / most;
  let [end, next] = [0, 0];
  return strong.filter((_, n) => {
    end += weights[n];
    if (end <= next) return false;
    next = step * Math.ceil(end / step);
    return true;
  });
}

/** What is clustered: contributions of length 1, drawn towards those of the images that the network takes for the same class. */
export function clusteredVectors(
  sample: readonly {contribution: ArrayLike<number>; predicted: number}[],
  predictions: boolean,
): Float64Array[] {
  const groups = sample.map(({predicted}, n) => (predictions ? predicted : n));
  return towardsGroups(
    sample.map(({contribution}) => contribution),
    groups,
  );
}

function conceptOf(own: readonly Strongest[], exemplars: number): DiscoveredConcept {
  const contribution = new Float64Array(own[0]?.contribution.length ?? 0);
  for (const one of own) one.contribution.forEach((value, i) => (contribution[i] += value / own.length));
  const shown = Math.min(exemplars, own.length);
  const strata = Array.from({length: shown}, (_, n) => own[Math.floor((n * own.length) / shown)]);
  const ordered = [...own].sort((a, b) => a.index - b.index);
  return {
    size: own.length,
    images: ordered.map(({index}) => index),
    paths: ordered.map(({path}) => path),
    contribution,
    exemplars: strata.map(({index, path, position, centre, value}) => ({index, path, position, centre, value})),
  };
}

/** What clusters do not say. */
export const CAUTION =
  'Clusters are found in any channel, also in one with a single meaning: look at the pictures, and check whether a split by these clusters beats random ones.';

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
    ...(concepts.length > 1 ? [`  ${CAUTION}`] : []),
  ].join('\n');
}
