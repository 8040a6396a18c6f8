import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {ensureBackend} from '../engine';
import type {LabelledImages} from '../images/types';
import {loadModel} from '../formats/load';
import {makeModel} from '../network/model';
import type {Model} from '../network/types';
import {InputError} from '../common/errors';
import {DEMO_CLASSES} from './generator';
import {demoImages} from './images';
import {DEMO_PRESET} from './network';

export {DEMO_CLASSES, DEMO_SIZE, demoImage} from './generator';
export {demoImages, IMAGE_SEEDS} from './images';
export {DEMO_PRESET} from './network';
export {trainDemo, type TrainDemoOptions} from './train';

/** Training seeds of the networks that the package ships. */
const SEEDS = [0, 1];

/**
 * A channel of the shipped network of seed 0 to look at first: three things that look nothing alike excite it, and each of its
 * three parts is excited by one of them alone.
 */
export const DEMO_EXAMPLE = {layer: 'conv5', channel: 7, classes: ['flag', 'checker', 'fir']} as const;

export interface DemoOptions {
  /** Pictures of each class in `train`. @default 60 */
  trainPerClass?: number;
  /** Pictures of each class in `test`. @default 60 */
  testPerClass?: number;
  /** Which of the two shipped networks, by its training seed: 0 or 1. They learned from the same pictures. @default 0 */
  seed?: number;
}

/** A small network and pictures of 24 things, to try everything on. */
export interface Demo {
  /** 48 × 48 RGB → 24 logits. Its layer `conv5`, 1×1 with 16 channels, is the one to look at. */
  model: Model;
  /** Pictures to collect relevance on. */
  train: LabelledImages;
  /** Pictures to measure on; none of them is in `train`. The network was trained on neither. */
  test: LabelledImages;
}

/**
 * The demo: a trained network that comes with the package, and pictures that are drawn when they are needed. Works from any
 * working directory, without a download.
 * @throws InputError where there is no network of that seed, or a number of pictures is not a whole number above 0
 */
export async function demo({trainPerClass = 60, testPerClass = 60, seed = 0}: DemoOptions = {}): Promise<Demo> {
  if (!SEEDS.includes(seed)) throw new InputError(`no demo network of seed ${seed}; seeds: ${SEEDS.join(', ')}`);
  const train = demoImages('train', trainPerClass);
  const test = demoImages('test', testPerClass);
  await ensureBackend();
  const {graph, source} = await loadModel(path.join(__dirname, `../../data/demo/seed${seed}`));
  return {model: makeModel(graph, {name: 'demo', preset: DEMO_PRESET, classNames: DEMO_CLASSES, source}), train, test};
}

/** The picture in the README: the pictures that excite the channel of `DEMO_EXAMPLE` most, then each of its parts. PNG bytes, which `show` shows. */
export function demoPicture(): Promise<Uint8Array> {
  return readFile(path.join(__dirname, '../../data/demo/gallery.png'));
}
