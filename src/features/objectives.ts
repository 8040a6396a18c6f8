/**
 * What an image is optimised for. An objective is plain data: it prints, saves and compares, and knows nothing of a network until
 * `objectiveOn` looks it up in one. Objectives add, subtract and multiply (Olah, Mordvintsev and Schubert, "Feature
 * Visualization", Distill 2017, section "Optimization Objectives").
 */
import {InputError} from '../common/errors';
import type {Split} from '../split/types';

/** Which positions of a layer's output count: their mean, their sum, the centre, or one [row, column] from the top left. */
export type Where = 'mean' | 'sum' | 'centre' | readonly [row: number, column: number];

/** One number per image. Batch-wise terms (`diversity`) are the same for all images of a batch. */
export type Objective =
  | {readonly kind: 'channel'; readonly layer: string; readonly channel: number; readonly where: Where}
  | {
      readonly kind: 'weightVector';
      readonly layer: string;
      /** [kh·kw·Cin], applied to the layer's input with the layer's stride, padding and dilation. */
      readonly kernel: Float32Array;
      readonly bias: number;
      readonly where: Where;
      readonly name: string;
    }
  | {readonly kind: 'logit' | 'logProbability'; readonly class: number | string}
  | {readonly kind: 'diversity'; readonly layer: string}
  | {readonly kind: 'constant'; readonly value: number}
  | {readonly kind: 'sum'; readonly terms: readonly Objective[]}
  | {readonly kind: 'product'; readonly factors: readonly Objective[]};

export interface WhereOptions {
  /** @default 'mean' */
  where?: Where;
}

/**
 * A channel of a layer: of a convolution or dense layer its linear output Z, before batch norm and activation; of any other layer
 * its output.
 */
export function channel(layer: string, index: number, {where = 'mean'}: WhereOptions = {}): Objective {
  return {kind: 'channel', layer, channel: index, where};
}

/** A channel at one position, the centre unless told. */
export function neuron(layer: string, index: number, position?: readonly [row: number, column: number]): Objective {
  return {kind: 'channel', layer, channel: index, where: position ?? 'centre'};
}

export interface WeightVectorOptions extends WhereOptions {
  /** Added at every position. @default 0 */
  bias?: number;
  /** What it is called in text. @default 'a weight vector of <layer>' */
  name?: string;
}

/**
 * A kernel in place of one channel's own: any weighting of the inputs of a convolution or dense layer.
 * @param kernel [kh, kw, Cin], flat, in that order
 */
export function weightVector(
  layer: string,
  kernel: ArrayLike<number>,
  {bias = 0, where = 'mean', name = `a weight vector of ${layer}`}: WeightVectorOptions = {},
): Objective {
  return {kind: 'weightVector', layer, kernel: Float32Array.from(kernel), bias, where, name};
}

/** A class's logit, by output index or by name. */
export function logit(classIndexOrName: number | string): Objective {
  return {kind: 'logit', class: classIndexOrName};
}

/**
 * The logarithm of a class's probability (softmax of the logits): what speaks for other classes counts against it. Its images are
 * less vivid than a logit's, and other networks recognise them more often.
 */
export function logProbability(classIndexOrName: number | string): Objective {
  return {kind: 'logProbability', class: classIndexOrName};
}

/**
 * How little the images of a batch are alike at a layer: the mean over pairs of 1 − cos of their Gram matrices G = Σ_hw z zᵀ, from
 * 0 to 1. Added to an objective, it makes a batch show different facets (Olah et al. 2017, section "Diversity"). It needs a `batch` of
 * at least 2.
 */
export function diversity(layer: string): Objective {
  return {kind: 'diversity', layer};
}

function asObjective(value: Objective | number): Objective {
  if (typeof value === 'number') return {kind: 'constant', value};
  if (!isObjective(value)) throw unknownObjective(value, '; a number serves too');
  return value;
}

/** Whether it is data that could be an objective; which kind it is, is looked up later. */
export const isObjective = (value: Objective | null | undefined): value is Objective => typeof value?.kind === 'string';

/** The error for what none of these functions made. */
export function unknownObjective(value: unknown, more = ''): InputError {
  const shown = (value as {kind?: unknown} | null | undefined)?.kind ?? value;
  return new InputError(
    `unknown objective ${JSON.stringify(shown)}; objectives are made by channel, neuron, weightVector, logit, logProbability, diversity, plus, minus and times${more}`,
  );
}

export function plus(...terms: (Objective | number)[]): Objective {
  return {kind: 'sum', terms: terms.map(asObjective)};
}

export function times(...factors: (Objective | number)[]): Objective {
  return {kind: 'product', factors: factors.map(asObjective)};
}

export function minus(from: Objective | number, taken: Objective | number): Objective {
  return plus(from, times(-1, taken));
}

/**
 * The channel that was split, one of its parts (by the concept's place, from 0) or the residue, as the weight vector that it is.
 * @throws InputError for a part that the split lacks
 */
export function ofSplit(split: Split, which: 'original' | 'residue' | number, options: WhereOptions = {}): Objective {
  const {layer, channel: index, bias, concepts} = split;
  const of = `channel ${index} of ${layer}`;
  if (which === 'original') return weightVector(layer, split.original, {...options, bias, name: of});
  if (which === 'residue') return weightVector(layer, split.residue, {...options, bias, name: `residue of ${of}`});
  const [part, concept] = [split.parts[which], concepts[which]];
  if (!part) throw new InputError(`no part ${which}; the split of ${of} has parts 0 to ${split.parts.length - 1}`);
  return weightVector(layer, part, {
    ...options,
    bias,
    name: `part ${which + 1} of ${of} (${concept.classNames.join(' + ')})`,
  });
}

/**
 * An objective in words.
 * @throws InputError for what is no objective
 */
export function describeObjective(objective: Objective): string {
  if (!isObjective(objective)) throw unknownObjective(objective);
  switch (objective.kind) {
    case 'channel':
      return `channel ${objective.channel} of ${objective.layer}${placeOf(objective.where)}`;
    case 'weightVector':
      return objective.name + placeOf(objective.where);
    case 'logit':
    case 'logProbability': {
      const what = objective.kind === 'logit' ? 'logit' : 'log probability';
      return `${what} of ${typeof objective.class === 'number' ? `class ${objective.class}` : objective.class}`;
    }
    case 'diversity':
      return `diversity at ${objective.layer}`;
    case 'constant':
      return `${objective.value}`;
    case 'sum':
      return objective.terms.map(describeObjective).join(' + ').replaceAll(' + −1 × ', ' − ');
    case 'product':
      return objective.factors.map(describeFactor).join(' × ');
    default:
      throw unknownObjective(objective);
  }
}

function describeFactor(factor: Objective): string {
  if (factor.kind === 'constant' && factor.value < 0) return `−${-factor.value}`;
  return factor.kind === 'sum' && factor.terms.length > 1
    ? `(${describeObjective(factor)})`
    : describeObjective(factor);
}

function placeOf(where: Where): string {
  if (where === 'mean') return '';
  if (where === 'sum') return ', summed';
  return where === 'centre' ? ' at the centre' : ` at [${where.join(', ')}]`;
}
