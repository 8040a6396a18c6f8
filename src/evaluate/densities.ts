import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {mean} from '../numerics/vectors';
import type {Split} from '../split/types';
import {summedActivations, channelNames} from './activations';
import {densityOf, gridRange, referenceBandwidth, scottBandwidth} from './kernelDensity';
import {imagesOfConcepts, type EvaluationOptions} from './layerPass';
import {fractionText, percentText} from '../common/numbers';
import {textTable} from '../common/textTable';
import {readable} from '../common/readable';

export interface DensityOptions extends Omit<EvaluationOptions, 'randomSplits' | 'seed'> {
  /** Points of each curve, to where the last one has come down, 3 bandwidths beyond the values. @default 128; 200 of signed sums, as kdeplot */
  points?: number;
  /**
   * What an image's activation is: `relu`, Σ_hw relu(channel), or `signed`, Σ_hw channel, as in the paper's figure. @default 'relu'
   */
  sums?: 'relu' | 'signed';
  /** A panel a channel with a curve a concept, or a panel a concept with a curve a channel, as in the paper's figure. @default 'channel' */
  by?: 'channel' | 'concept';
}

/** One point of one curve. */
export interface DensityRow {
  /** The concept's class names, joined by ` + `. */
  concept: string;
  /** `original`, `d1` … `dk` */
  channel: string;
  /** Summed activation of an image. */
  activation: number;
  /** Density of the concept's images there, in images per unit of activation. */
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
  sums: 'relu' | 'signed';
  by: 'channel' | 'concept';
  /** In the order of the curves. */
  concepts: {classes: number[]; classNames: string[]}[];
  rows: DensityRow[];
  curves: DensityCurve[];
  toString(): string;
}

/**
 * How strongly the images of each concept excite the original channel and each part (the figure of Hesse et al. 2025, section 4.2: summed
 * activation against density, one curve a concept). All images of the concepts' classes count, whatever τ.
 *
 * Of `sums: 'relu'` the kernel is Gaussian with the bandwidth of the normal reference rule (Scott 1992), 1.06·min(s, IQR/1.34)·n^(−1/5), the deviation
 * alone where the interquartile range is 0, and not below what the grid's steps can show. Such an activation cannot be negative, so what the kernel
 * would put below 0 is reflected at 0. Zeros are values like any other: many of them make a peak at 0, and `zeroShare` says how many. Each area is 1.
 *
 * Of `sums: 'signed'` each curve is one call of seaborn's `kdeplot`, as the published code draws its figure: bandwidth s·n^(−1/5), points at even
 * steps from 3 bandwidths below the lowest of its own values to 3 above the highest, area 1.
 * @throws InputError for a concept without images; InterruptError when stopped
 */
export async function densities(
  split: Split,
  images: LabelledImages,
  options: DensityOptions = {},
): Promise<Densities> {
  const {sums = 'relu', by = 'channel'} = options;
  const {points = sums === 'signed' ? 200 : 128} = options;
  if (!Number.isSafeInteger(points) || points < 2)
    throw new InputError(`invalid number of points: ${points}; give a whole number from 2, such as 128`);
  oneOf('sums', sums, ['relu', 'signed']);
  oneOf('by', by, ['channel', 'concept']);
  const byConcept = imagesOfConcepts(split, images);
  const kernels = [split.original, ...split.parts];
  const measured = await summedActivations(split, images, byConcept.flat(), kernels, {...options, sums});
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
  const result: Omit<Densities, 'toString'> = {
    kind: 'densities',
    layer: split.layer,
    channel: split.channel,
    sums,
    by,
    concepts: split.concepts.map(({classes, classNames}) => ({classes: [...classes], classNames: [...classNames]})),
    ...(sums === 'relu' ? reflectedCurves(found, points) : signedCurves(found, points)),
  };
  return readable(result, describeDensities);
}

function oneOf(name: string, value: string, valid: readonly string[]): void {
  if (!valid.includes(value)) throw new InputError(`invalid ${name}: ${value}; give ${valid.join(' or ')}`);
}

type Unruled = Omit<DensityCurve, 'bandwidth'>;
type Curves = Pick<Densities, 'rows' | 'curves'>;

const sampleOf = ({activations: values, bandwidth}: DensityCurve) => ({values, bandwidth});

function reflectedCurves(found: readonly Unruled[], points: number): Curves {
  const ruled = found.map((curve) => ({...curve, bandwidth: referenceBandwidth(curve.activations)}));
  const range = gridRange(ruled.map(sampleOf))[1] || 1;
  const least = range / (points - 1);
  const curves = ruled.map((curve) => ({...curve, bandwidth: Math.max(curve.bandwidth, least)}));
  const end = Math.max(range, gridRange(curves.map(sampleOf))[1]);
  const rows = curves.flatMap((curve) => rowsOf(curve, densityOf(sampleOf(curve), true), [0, end], points));
  return {curves, rows};
}

function signedCurves(found: readonly Unruled[], points: number): Curves {
  const spread = gridRange(found.map(({activations: values}) => ({values, bandwidth: 0})));
  const least = (spread[1] - spread[0] || 1) / (points - 1);
  const curves = found.map((curve) => ({...curve, bandwidth: scottBandwidth(curve.activations) || least}));
  const rows = curves.flatMap((curve) => {
    const sample = sampleOf(curve);
    return rowsOf(curve, densityOf(sample, false), gridRange([sample]), points);
  });
  return {curves, rows};
}

function rowsOf(
  {concept, channel}: Unruled,
  density: (at: number) => number,
  [low, high]: [number, number],
  points: number,
): DensityRow[] {
  return Array.from({length: points}, (_, at) => {
    const activation = low + (at * (high - low)) / (points - 1);
    return {concept, channel, activation, density: density(activation)};
  });
}

function describeDensities({layer, channel, curves}: Omit<Densities, 'toString'>): string {
  const rows = curves.map(({concept, channel: name, activations, mean: centre, zeroShare}) => [
    `${name}, ${concept}`,
    String(activations.length),
    fractionText(centre),
    percentText(zeroShare, 1),
  ]);
  const table = textTable([['', 'images', 'mean', 'silent'], ...rows]);
  return [`summed activation of channel ${channel} of layer ${layer} and its parts`, ...table].join('\n');
}
