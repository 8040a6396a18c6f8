import {numberText} from '../common/numbers';
import {option} from '../common/options';
import {ensureBackend} from '../engine';
import {withInterrupt} from '../engine/interrupt';
import {resolvePreset} from '../images/presets';
import type {Preset, PresetOption} from '../images/types';
import type {Model} from '../network/types';
import {InputError} from '../common/errors';
import {startTask, type Task} from '../common/progress';
import type {Split} from '../split/types';
import {defaultParametrisation, defaultTransforms} from './defaults';
import {DivergedError} from './diverged';
import {layerDistance} from './nearness';
import {inputSize, objectiveOn} from './objectiveOn';
import {describeObjective, ofSplit, type Objective, type Where} from './objectives';
import {optimize, type OptimizeSettings, type Optimized} from './optimize';
import {seededRandom} from '../common/random';
import {checkTransforms} from './transforms';
import type {FeatureVisualization, SplitVisualization, VisualizeOptions} from './types';

/**
 * Makes an image that makes an objective great, by gradient ascent through random views (Olah, Mordvintsev and Schubert, "Feature
 * Visualization", Distill 2017). Only the layers that the objective needs are run.
 *
 * Interrupted, it returns the best image so far, marked `interrupted`.
 * @throws InputError for a layer, channel, position or class that the model lacks, a size that does not fit, or an invalid option
 * @throws DivergedError where the objective is no longer a finite number; its `best` is the best image before that
 */
export async function visualizeFeature(
  model: Model,
  objective: Objective,
  options: VisualizeOptions = {},
): Promise<FeatureVisualization> {
  const settings = settingsFor(model, objective, options);
  await ensureBackend();
  const about = {label: `visualising ${describeObjective(objective)}`, total: settings.steps, unit: 'steps'};
  return withTask(
    about,
    options,
    (task, signal) => visualize(model, objective, options, settings, task, signal),
    bestOf,
  );
}

/** Runs the work with a bar that says in the end what the images reached, and with an interrupt that ends it early. */
async function withTask<T extends {interrupted: boolean}>(
  about: {label: string; total: number; unit: string},
  options: VisualizeOptions,
  work: (task: Task, signal: AbortSignal) => Promise<T>,
  reached: (found: T) => string,
): Promise<T> {
  return withInterrupt(options, async (signal) => {
    const task = startTask(about, options.progress);
    try {
      const found = await work(task, signal);
      task.finish(found.interrupted ? 'interrupted' : 'done', reached(found));
      return found;
    } catch (error) {
      task.finish('failed');
      throw error;
    }
  });
}

async function visualize(
  model: Model,
  objective: Objective,
  options: VisualizeOptions,
  settings: OptimizeSettings,
  task: Task,
  signal: AbortSignal,
): Promise<FeatureVisualization> {
  const text = describeObjective(objective);
  const started = performance.now();
  const size = [settings.shape[1], settings.shape[2]] as const;
  const network = objectiveOn(model, objective, size);
  const {nearAt} = settings.parametrisation;
  const distance = nearAt === undefined ? undefined : layerDistance(model, nearAt, size);
  const result = ({best, history, looks, end}: Optimized): FeatureVisualization | undefined =>
    best &&
    featureVisualization({
      kind: 'feature',
      model: model.name,
      objective,
      text,
      image: best.images[0],
      images: best.images,
      value: best.value,
      history,
      looks,
      seed: options.seed ?? 0,
      steps: history.length,
      seconds: (performance.now() - started) / 1000,
      interrupted: end === 'interrupted',
    });
  const {steps} = settings;
  try {
    const optimized = await optimize(network, {...settings, distance}, task, signal, ({step, value, images}) =>
      options.onStep?.({step, steps, value, images, text}),
    );
    const found = result(optimized);
    if (optimized.end === 'diverged' || !found) throw diverged(text, optimized, found, settings);
    return found;
  } finally {
    network.dispose();
    distance?.dispose();
  }
}

export interface VisualizeSplitOptions extends VisualizeOptions {
  /** Which positions of the layer's output count. @default 'mean' */
  where?: Where;
  /** Whether the residue is visualised too. @default false */
  residue?: boolean;
}

/**
 * Visualises a channel that was split and each of its parts (Hesse et al. 2025, figure 1), with the same seed, one after the other.
 *
 * Interrupted, it returns those that are finished and the best image so far of the one under way.
 * @throws as `visualizeFeature`
 */
export async function visualizeSplit(split: Split, options: VisualizeSplitOptions = {}): Promise<SplitVisualization> {
  const {where = 'mean', residue = false, ...shared} = options;
  const model = split.before;
  const wanted = ['original' as const, ...split.concepts.keys(), ...(residue ? ['residue' as const] : [])];
  const {steps} = settingsFor(model, ofSplit(split, 'original', {where}), shared);
  await ensureBackend();
  const label = `visualising channel ${split.channel} of ${split.layer} and its parts`;
  const about = {label, total: steps * wanted.length, unit: 'steps'};
  const work = async (task: Task, signal: AbortSignal): Promise<SplitVisualization> => {
    const shown: FeatureVisualization[] = [];
    for (const which of wanted) {
      const objective = ofSplit(split, which, {where});
      // Settings hold a stream of random numbers: each part has its own, of the same seed.
      shown.push(await visualize(model, objective, shared, settingsFor(model, objective, shared), task, signal));
      if (shown[shown.length - 1].interrupted) break;
    }
    const last = 1 + split.concepts.length;
    const data = {
      kind: 'split-features' as const,
      layer: split.layer,
      channel: split.channel,
      original: shown[0],
      parts: shown.slice(1, last),
      ...(shown[last] && {residue: shown[last]}),
      interrupted: shown[shown.length - 1].interrupted,
    };
    return printable(data, () => shown.join('\n'));
  };
  return withTask(about, shared, work, ({original, parts, residue: rest}) =>
    [original, ...parts, ...(rest ? [rest] : [])].map(bestOf).join(', '),
  );
}

/** The objective that the images reached, which is not that of the last step through its random views. */
function bestOf({value}: FeatureVisualization): string {
  return `best ${numberText(value)}`;
}

function featureVisualization(data: Omit<FeatureVisualization, 'toString'>): FeatureVisualization {
  return printable(data, () => {
    const {text, model, image, images, value, steps, seconds, seed, interrupted} = data;
    const count = images.length > 1 ? `${images.length} images of ` : '';
    return (
      `${text} in ${model}: ${numberText(value)}, ${count}${image.width} × ${image.height} pixels, seed ${seed}, ` +
      `${steps} steps in ${numberText(seconds)} s${interrupted ? ', interrupted' : ''}`
    );
  });
}

/** Data with a text that is no part of it. */
function printable<T extends object>(data: T, text: () => string): T & {toString(): string} {
  return Object.defineProperty(data, 'toString', {value: text, enumerable: false});
}

function diverged(
  text: string,
  {history, best}: Optimized,
  found: FeatureVisualization | undefined,
  {learningRate}: OptimizeSettings,
) {
  const step = history.length + 1;
  const advice = best
    ? `lower learningRate (${learningRate}) or change the objective; the best image so far is the error's field best`
    : 'it is so on the first image already: check the objective and the model';
  return new DivergedError(`the objective "${text}" is not a finite number at step ${step}; ${advice}`, step, found);
}

function settingsFor(model: Model, objective: Objective, options: VisualizeOptions): OptimizeSettings {
  const {steps = 256, learningRate = 0.05, batch = 1, seed = 0, views = 1, previewEvery = 16} = options;
  for (const [name, value] of Object.entries({steps, batch, views, previewEvery})) {
    if (!Number.isInteger(value) || value < 1)
      throw new InputError(`invalid ${name}: ${value}; it is a whole number from 1`);
  }
  if (!(learningRate > 0 && learningRate < Infinity)) {
    throw new InputError(`invalid learningRate: ${learningRate}; it is a number above 0, e.g. 0.05`);
  }
  if (!Number.isSafeInteger(seed)) throw new InputError(`invalid seed: ${seed}; it is a whole number`);
  const channels = model.inputShape[2];
  if (channels !== 3 && channels !== 1) {
    throw new InputError(
      `model ${model.name} takes images of ${channels} channels; images of 3 or 1 can be visualised`,
    );
  }
  const size = sizeOf(options.size) ?? inputSize(model);
  const transforms = options.transforms ?? defaultTransforms(size);
  checkTransforms(transforms, size);
  return {
    shape: [batch, ...size, channels],
    steps,
    learningRate,
    parametrisation: options.parametrisation ?? defaultParametrisation(objective),
    transforms,
    views,
    preset: presetOf(model, options.preset),
    random: seededRandom(seed),
    previewEvery,
  };
}

function sizeOf(size: VisualizeOptions['size']): readonly [number, number] | undefined {
  if (size === undefined) return undefined;
  const sides = typeof size === 'number' ? ([size, size] as const) : size;
  if (sides.length !== 2 || !sides.every((side) => Number.isInteger(side) && side >= 1 && side <= 4096)) {
    throw new InputError(
      `invalid size: ${JSON.stringify(size)}; it is a whole number of pixels from 1 to 4096, or two`,
    );
  }
  return [sides[0], sides[1]];
}

function presetOf(model: Model, given: PresetOption | undefined): Preset {
  const preset = given === undefined ? model.preset : resolvePreset(given);
  if (preset) return preset;
  throw new InputError(
    `no preprocessing is known for model ${model.name}; give a ${option('preset')}: torch-imagenet, tf, cifar or your own`,
  );
}
