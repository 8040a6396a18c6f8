import {interquartileRange, kernelDensityEstimation} from 'simple-statistics';
import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {sampleDeviation} from '../numerics/summary';
import {mean} from '../numerics/vectors';
import type {Split} from '../split/types';
import {summedActivations, channelNames} from './activations';
import {imagesOfConcepts, type EvaluationOptions} from './layerPass';
import {number, percent, textTable} from './text';
import {readable} from '../common/readable';

export interface DensityOptions extends Omit<EvaluationOptions, 'randomSplits' | 'seed'> {
  /** Points of each curve, from 0 to where the last one has come down, 3 bandwidths above its highest activation. @default 128 */
  points?: number;
}

/** One point of one curve. */
export interface DensityRow {
  /** The concept's class names, joined by ` + `. */
  concept: string;
  /** `original`, `d1` … `dk` */
  channel: string;
  /** Summed activation Σ_hw relu(channel) of an image. */
  activation: number;
  /** Density of the concept's images there, in images per unit of activation; each curve's area is 1. */
  density: number;
}

/** What one curve was estimated from. */
export interface DensityCurve {
  concept: string;
  channel: string;
  /** Summed activation of each of the concept's images. */
  activations: number[];
  mean: number;
  /** Share of these images whose activation is 0 exactly. */
  zeroShare: number;
  /** Deviation of the Gaussian kernel. */
  bandwidth: number;
}

/** Kernel density estimates of the summed activation, by channel and concept; `rows` are what a chart is drawn from. */
export interface Densities {
  readonly kind: 'densities';
  layer: string;
  channel: number;
  rows: DensityRow[];
  curves: DensityCurve[];
  toString(): string;
}

/**
 * How strongly the images of each concept excite the original channel and each part (the figure of Hesse et al. 2025, section 4.2: summed
 * activation against density, one curve a concept). All images of the concepts' classes count, whatever τ.
 *
 * The kernel is Gaussian with the bandwidth of the normal reference rule (Scott 1992), 1.06·min(s, IQR/1.34)·n^(−1/5), the deviation alone where
 * the interquartile range is 0, and not below what the grid's steps can show. An activation cannot be negative, so what the kernel would put below 0
 * is reflected at 0. Zeros are values like any other: many of them make a peak at 0, and `zeroShare` says how many.
 * @throws InputError for a concept without images; InterruptError when stopped
 */
export async function densities(
  split: Split,
  images: LabelledImages,
  options: DensityOptions = {},
): Promise<Densities> {
  const {points = 128} = options;
  if (!Number.isSafeInteger(points) || points < 2)
    throw new InputError(`invalid number of points: ${points}; give a whole number from 2, such as 128`);
  const byConcept = imagesOfConcepts(split, images);
  const kernels = [split.original, ...split.parts];
  const measured = await summedActivations(split, images, byConcept.flat(), kernels, options);
  const names = channelNames(split);
  const found = split.concepts.flatMap(({classNames}, concept) => {
    const own = new Set(byConcept[concept]);
    return names.map((channel, n) => {
      const activations = measured.activations[n].filter((_, at) => own.has(measured.images[at]));
      const about = {concept: classNames.join(' + '), channel};
      if (activations.length === 0)
        throw new InputError(`none of the images of ${about.concept} can be read; give others`);
      const zeros = activations.filter((value) => value === 0).length;
      return {...about, activations, mean: mean(activations), zeroShare: zeros / activations.length};
    });
  });
  const ruled = found.map((curve) => ({...curve, bandwidth: referenceBandwidth(curve.activations)}));
  const range = gridEnd(ruled) || 1;
  const least = range / (points - 1);
  const curves: DensityCurve[] = ruled.map((curve) => ({...curve, bandwidth: Math.max(curve.bandwidth, least)}));
  const end = Math.max(range, gridEnd(curves));
  const rows = curves.flatMap(({concept, channel, activations, bandwidth}): DensityRow[] => {
    const estimate = kernelDensityEstimation(activations, 'gaussian', bandwidth);
    return Array.from({length: points}, (_, at) => {
      const activation = (at * end) / (points - 1);
      return {concept, channel, activation, density: estimate(activation) + estimate(-activation)};
    });
  });
  const result: Omit<Densities, 'toString'> = {
    kind: 'densities',
    layer: split.layer,
    channel: split.channel,
    rows,
    curves,
  };
  return readable(result, describeDensities);
}

/** Where every curve has come down to nearly 0. */
function gridEnd(curves: readonly {activations: number[]; bandwidth: number}[]): number {
  return Math.max(
    ...curves.map(
      ({activations, bandwidth}) => activations.reduce((most, value) => Math.max(most, value), 0) + 3 * bandwidth,
    ),
  );
}

/** The normal reference rule, without the interquartile range where that is 0; 0 where all values are the same. */
export function referenceBandwidth(values: number[]): number {
  if (values.length < 2) return 0;
  const deviation = sampleDeviation(values);
  const spread = interquartileRange(values) / 1.34;
  return 1.06 * (spread > 0 ? Math.min(deviation, spread) : deviation) * values.length ** -0.2;
}

function describeDensities({layer, channel, curves}: Omit<Densities, 'toString'>): string {
  const rows = curves.map(({concept, channel: name, activations, mean: centre, zeroShare}) => [
    `${name}, ${concept}`,
    String(activations.length),
    number(centre),
    percent(zeroShare),
  ]);
  const table = textTable([['', 'images', 'mean', 'silent'], ...rows]);
  return [`summed activation of channel ${channel} of layer ${layer} and its parts`, ...table].join('\n');
}
