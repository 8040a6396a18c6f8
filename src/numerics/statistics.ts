import {namesakesText} from '../common/namesakes';
import {percentText} from '../common/numbers';
import {option} from '../common/options';
import {InputError} from '../common/errors';
import {counted, namedClass} from '../common/words';
import {topOneWarnings} from './topOne';

/** The preprocessing that the statistics were made with. */
export interface RecordedPreset {
  name: string;
  shorterSide?: number;
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
  assumed?: boolean;
}

/** A preset's name, and where it is a guess, how to name another. */
export function presetText({name, assumed}: Pick<RecordedPreset, 'name' | 'assumed'>): string {
  return assumed ? `${name} (assumed; give ${option('preset')} where it is another)` : name;
}

/** The attribution that the method is made with; statistics that name none are of it. */
export const DEFAULT_ATTRIBUTION = 'activation × gradient';

/** A collector's state as files hold it: small fields as JSON, the rest as arrays, row-major. */
export interface SavedState {
  fields: Record<string, unknown>;
  arrays: Record<
    string,
    {shape: number[]; data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array}
  >;
}

/** Images with the highest value per channel, best first; rows are filled with image −1 where there are fewer. */
export interface TopImages {
  /** Indices into `images.paths`, [Cout, M]. */
  images: Int32Array;
  /** [Cout, M] */
  values: Float32Array;
}

/**
 * What one pass over the images keeps: enough for every threshold (τ, p, γ) and all averaged relevance vectors, without
 * touching an image again. Plain data; mergeable, so that batches, resumed runs and shards add up to the same thing.
 *
 * Sizes: K classes, taps = kh·kw, Cin and Cout channels, N images, M top images per channel. Arrays are row-major.
 */
export interface RelevanceStatistics {
  kind: 'relevance statistics';
  model: {name: string; hash: string; arch?: string};
  layer: {name: string; kind: 'conv' | 'dense'; shape: [number, number, number, number]};
  /** W of the layer, [taps, Cin, Cout]. */
  kernel: Float32Array;
  classes: number;
  classNames: string[];
  preset: RecordedPreset;
  /** How relevance was computed. @default activation × gradient */
  attribution?: string;
  /** Images per batch, where a measurement chose it. */
  batchSize?: number;
  images: {
    /** What the images are called, and the hash of the whole list that the run is about. */
    name: string;
    listHash: string;
    /** Images that the whole run is about. */
    total: number;
    /** Images of the list that were gone through, the unreadable ones included. */
    done: number;
    /** Images that count, in order, [N]. */
    paths: string[];
    /** Class index of each, [N]. */
    labels: Int32Array;
    skipped: {path: string; reason: string}[];
    /** The file that the labels were read from, where there is one. */
    labelsFile?: string;
    /** Where the statistics are of some shards of a run alone: which, of how many. */
    shards?: {indices: number[]; count: number};
    /** What is noticed of images that changed between two runs, and a number for each image that changes with it, [N]. */
    check?: 'files' | 'content';
    stamps?: Int32Array;
  };
  /** Images a half and class, [2, K]. */
  counts: Float64Array;
  /** ΣT over the images of a half and class, [2, K, taps, Cin]; T[tap, i] sums X_i over the positions that the tap visits. */
  inputSums: Float64Array;
  /** Shares s_c = R_c / Σ_j max(R_j, 0) of each image that are at least `floor`, as rows of a sparse matrix [N, Cout]. */
  shares: {floor: number; offsets: Int32Array; channels: Int32Array; values: Float32Array};
  /** By relevance R_c, and by activation Σ_hw relu(Z_c). */
  top: {count: number; relevance: TopImages; activation: TopImages};
  /** Images whose highest logit is their class's, by class, [K]. */
  hits: Float64Array;
  /** The highest softmax probability of each image, summed over the images of a class, [K]; absent before version 0.2. */
  confidence?: Float64Array;
  /** How many of the layer's inputs were zero. */
  zeroInputs: {zeros: number; total: number};
  /** States of further collectors that took part in the pass, by name. */
  collected?: Record<string, SavedState>;
  toString(): string;
}

/** Number of images of a class that count. */
export function classCount(stats: RelevanceStatistics, classIndex: number): number {
  return stats.counts[classIndex] + stats.counts[stats.classes + classIndex];
}

/** Share of images whose highest logit is their class's. */
export function topOne(stats: RelevanceStatistics): number {
  return stats.hits.reduce((sum, hits) => sum + hits, 0) / stats.images.paths.length;
}

/** Share of the layer's inputs that are zero: the published split works where it is high (see the planted benchmark). */
export function zeroInputShare(stats: RelevanceStatistics): number {
  return stats.zeroInputs.zeros / stats.zeroInputs.total;
}

/** Classes that have images, ascending. */
export function classesWithImages(stats: RelevanceStatistics): number[] {
  return Array.from({length: stats.classes}, (_, k) => k).filter((k) => classCount(stats, k) > 0);
}

/**
 * ARV(c, K)[i] = Σ_taps W[tap, i, c] · mean T[tap, i] over the images of the classes K: the mean contribution of each source
 * channel i to Σ_hw Z_c (Hesse et al. 2025, section 3.2; gathered in one pass because the layer is linear).
 * @param half only the images of one half, for the noise of the estimate
 * @returns [Cin], signed
 * @throws InputError for a channel out of range or classes without images
 */
export function averagedRelevanceVector(
  stats: RelevanceStatistics,
  channel: number,
  classes: readonly number[],
  half?: 0 | 1,
): Float64Array {
  const [kh, kw, inputs, outputs] = stats.layer.shape;
  const taps = kh * kw;
  checkChannel(stats, channel);
  const halves = half === undefined ? [0, 1] : [half];
  let images = 0;
  const arv = new Float64Array(inputs);
  for (const k of classes) {
    checkClass(stats, k);
    for (const h of halves) {
      images += stats.counts[h * stats.classes + k];
      const row = (h * stats.classes + k) * taps * inputs;
      for (let tap = 0; tap < taps; tap++) {
        for (let i = 0; i < inputs; i++) {
          const weight = stats.kernel[(tap * inputs + i) * outputs + channel];
          arv[i] += weight * stats.inputSums[row + tap * inputs + i];
        }
      }
    }
  }
  return arv.map((value) => value / images);
}

/** @param of statistics, or what else has a layer with its kernel's shape [kh, kw, Cin, Cout] */
export function checkChannel(of: {layer: {name: string; shape: readonly number[]}}, channel: number): void {
  const outputs = of.layer.shape[3];
  if (!Number.isInteger(channel) || channel < 0 || channel >= outputs) {
    throw new InputError(`invalid channel: ${channel}; layer ${of.layer.name} has channels 0 to ${outputs - 1}`);
  }
}

export function checkClass(stats: RelevanceStatistics, k: number): void {
  if (!Number.isInteger(k) || k < 0 || k >= stats.classes) {
    throw new InputError(`invalid class: ${k}; the model has classes 0 to ${stats.classes - 1}`);
  }
  if (classCount(stats, k) === 0) {
    const some = classesWithImages(stats);
    throw new InputError(
      `${namedClass(k, stats.classNames[k])} has no images in the statistics; classes with images: ${listed(some, 12)}`,
    );
  }
}

/** The first few of a list, and how many more there are. */
export function listed(values: readonly (string | number)[], most: number): string {
  const shown = values.slice(0, most).join(', ');
  return values.length > most ? `${shown}, … (${values.length} in all)` : shown;
}

/** Mean over the images of the highest softmax probability; undefined where it was not recorded. */
export function meanConfidence({confidence, images}: RelevanceStatistics): number | undefined {
  return confidence && confidence.reduce((sum, value) => sum + value, 0) / images.paths.length;
}

/** What looks wrong with the statistics, one sentence each; none for sound ones. */
export function warningsOf(stats: RelevanceStatistics): string[] {
  const {hits, confidence} = stats;
  const counts = hits.map((_, k) => classCount(stats, k));
  const others = namesakesText(stats.model.arch);
  const warnings = topOneWarnings(
    {counts, hits, confidence},
    `the labels or the preprocessing (preset ${stats.preset.name})`,
  ).map((warning) => warning + (others && `; or the network is another: ${others}`));
  if (stats.images.done < stats.images.total) {
    warnings.push(
      `the pass is unfinished: ${stats.images.done} of ${stats.images.total} images, so whole classes may be missing; run the same collect again to finish it`,
    );
  }
  if (stats.images.skipped.length > 0) {
    const {skipped} = stats.images;
    const named = skipped.slice(0, 3).map(({path, reason}) => `${path}: ${reason}`);
    if (skipped.length > named.length) named.push(`and ${skipped.length - named.length} more`);
    warnings.push(
      `${counted(skipped.length, 'unreadable image')} ${skipped.length === 1 ? 'was' : 'were'} skipped (${named.join('; ')})`,
    );
  }
  return warnings;
}

/** What a run records in place of a file of labels, where the network's first choices are the labels. */
export const PREDICTED = 'predicted';

/** A few lines that say what the statistics are about. */
export function describeStatistics(stats: RelevanceStatistics): string {
  const {layer, images} = stats;
  const [kh, kw, inputs, outputs] = layer.shape;
  return [
    `relevance statistics of ${stats.model.name}, layer ${layer.name} (${kh}×${kw}, ${inputs} → ${outputs} channels)`,
    `${counted(images.paths.length, 'image')} of ${counted(classesWithImages(stats).length, 'class', 'classes')} from ${images.name}, preset ${presetText(stats.preset)}`,
    `top-1 ${percentText(topOne(stats), 1)}${images.labelsFile === PREDICTED ? ' by construction, since the labels are what the network predicts' : ''}, ${percentText(zeroInputShare(stats))} of the layer's inputs are zero`,
    ...warningsOf(stats).map((warning) => `warning: ${warning}`),
  ].join('\n');
}
