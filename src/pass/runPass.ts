import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import type {LongCallOptions} from '../common/progress';
import {ensureBackend} from '../engine';
import {presetFor} from '../images/presetFor';
import type {LabelledImages, Preset, PresetOption} from '../images/types';
import type {Model} from '../network/types';
import {halfOf} from '../numerics/pathHash';
import {actGrad} from './attribution/actGrad';
import {checkBatchSize, throughImages, type DecodedBatch} from './batches';
import {layersOnEngine} from './severalLayers';
import {profiled, type PassProfile} from './profile';
import type {Attribution, BatchImages, BatchValues, Collector, LayerBatch} from './types';

export interface PassOptions extends LongCallOptions {
  /** Layers of interest; `model.layers()` lists them. */
  layers: readonly string[];
  /** What the progress bar calls it. @default going through the images */
  label?: string;
  /** How pixels become input. @default `recordedPreset`, else the images', else the model's */
  preset?: PresetOption;
  /** The preset of an earlier call on perhaps other images. */
  recordedPreset?: Preset;
  /** Images per batch. @default 32 */
  batchSize?: number;
  /** @default activation × gradient */
  attribution?: Attribution;
  /** What an unreadable image, or one whose relevance is not finite, does. @default 'skip' (named and counted) */
  unreadable?: 'skip' | 'fail';
  /** So many unreadable images in a row end the pass. @default 1 in 100 of the list, at least 16 */
  unreadableInARow?: number;
  /** Go on with these states, by layer and collector; each layer's hold the first `from` images of the list. */
  resume?: {from: readonly number[]; states: readonly (readonly unknown[])[]};
  /** Whether a list of which no image can be read is an error. @default true */
  refuseNone?: boolean;
  /** Filled with where the time goes. @default not measured */
  profile?: PassProfile;
  /** Called when an error or an interrupt ends the pass; what it returns is what the progress bar says of an interrupt. */
  onStop?: () => Promise<string>;
  /** Called when every collector has a batch, before the next; what it takes time for is waited for. */
  afterBatch?: (batch: PassedBatch) => Promise<void> | void;
}

/** The part of a collector that takes batches. */
export type BatchCollector = Pick<Collector, 'init' | 'measure' | 'add'>;

/** Where a pass stands after a batch. */
export interface PassedBatch {
  images: BatchImages;
  /** Numbers of the layers that the batch was added to: all but those that held it already. */
  layers: number[];
  /** Images that were left out since the batch before, and why. */
  skipped: {path: string; reason: string}[];
  signal: AbortSignal;
}

/**
 * One loop over images: decodes them, runs the network up to the layers and, where a collector asks for it, back from each image's own
 * logit, and hands every batch to the collectors. It owns the engine's memory, progress and interrupts.
 * @returns the collectors' states, by layer and collector, in the order given
 * @throws InputError for an unknown layer, labels beyond the outputs, images that do not fit; InterruptError when stopped
 */
export async function runPass(
  model: Model,
  images: LabelledImages,
  options: PassOptions,
  collectors: readonly BatchCollector[],
): Promise<unknown[][]> {
  const {layers, label = 'going through the images', attribution = actGrad, resume, afterBatch} = options;
  checkBatchSize(options.batchSize ?? 32);
  await ensureBackend();
  const preset = presetFor(model, images, options.preset, options.recordedPreset);
  const labels = images.labelsFor(model.classes);
  const classNames = model.classNames ?? images.classNamesFor(model.classes);
  const engine = layersOnEngine(model, layers);
  try {
    const states = engine
      .networks()
      .map((network, n) =>
        collectors.map((collector, at) =>
          resume ? resume.states[n][at] : collector.init({model, layer: network.layer, classNames}),
        ),
      );
    const from = resume ? Math.min(...resume.from) : 0;
    const stream = {...options, label, inputShape: model.inputShape, preset, from};
    const {profile} = options;
    profile?.enter('decode');
    await throughImages(images, stream, async (decoded, signal) => {
      profile?.enter('other');
      const passed = await measured(decoded);
      if (profile) profile.images += passed.images.paths.length;
      profile?.enter('checkpoint');
      await afterBatch?.({...passed, signal});
      profile?.enter('decode');
    });
    profile?.enter('other');
    return states;

    async function measured(decoded: DecodedBatch): Promise<Omit<PassedBatch, 'signal'>> {
      const active = [...layers.keys()].filter((n) => !resume || decoded.next > resume.from[n]);
      const skipped = [...decoded.skipped];
      let positions = [...decoded.indices.keys()];
      while (positions.length > 0) {
        const about = batchImages(
          images,
          labels,
          positions.map((b) => decoded.indices[b]),
        );
        const notFinite = new Map<number, number>();
        profile?.enter('measure');
        const tensors = tf.tidy(() => measure(decoded, {positions, about, active, notFinite}));
        if (notFinite.size === 0) {
          const values = await download(tensors);
          profile?.enter('add');
          active.forEach((n, row) => collectors.forEach((one, at) => one.add(states[n][at], about, values[row][at])));
          return {images: about, layers: active, skipped};
        }
        tf.dispose(tensors);
        for (const [b, value] of notFinite) skipped.push(refuseNotFinite(about.paths[b], value));
        positions = positions.filter((_, b) => !notFinite.has(b));
      }
      return {images: batchImages(images, labels, []), layers: active, skipped};
    }

    function measure(
      decoded: DecodedBatch,
      chosen: {positions: number[]; about: BatchImages; active: number[]; notFinite: Map<number, number>},
    ): Record<string, tf.Tensor>[][] {
      const {positions, about} = chosen;
      const all = decoded.images(); // [B, H, W, C]
      const pixels = positions.length < all.shape[0] ? tf.gather(all, tf.tensor1d(positions, 'int32')) : all;
      const batches = engine.batches(pixels, about, attribution, chosen.active);
      return chosen.active.map((n, row) => {
        const {batch, wasAsked} = recordsRelevance(profiled(batches[row], profile));
        const tensors = collectors.map((collector, at) => collector.measure(batch, states[n][at]));
        if (wasAsked()) for (const [b, value] of notFiniteIn(batch)) chosen.notFinite.set(b, value);
        return tensors;
      });
    }

    function refuseNotFinite(path: string, value: number): {path: string; reason: string} {
      const reason = `its relevance is not finite (${value})`;
      if ((options.unreadable ?? 'skip') === 'skip') return {path, reason};
      throw new InputError(
        `image ${path}: ${reason}, so the network overflows on it; leave such images out (${option('unreadable')}: skip) or see whether the preset is the network's`,
      );
    }
  } finally {
    engine.dispose();
  }
}

export function batchImages(images: LabelledImages, labels: Int32Array, indices: readonly number[]): BatchImages {
  const paths = indices.map((index) => images.paths[index]);
  return {
    indices,
    paths,
    labels: Int32Array.from(indices, (index) => labels[index]),
    halves: Uint8Array.from(paths, halfOf),
  };
}

/** The batch, and whether somebody asked for the relevance of it. */
function recordsRelevance(batch: LayerBatch): {batch: LayerBatch; wasAsked: () => boolean} {
  let asked = false;
  const relevance = () => {
    asked = true;
    return batch.relevance();
  };
  const shares = () => {
    asked = true;
    return batch.shares();
  };
  return {batch: {...batch, relevance, shares}, wasAsked: () => asked};
}

/** Images with a relevance or a logit that is no number, and that value. */
function notFiniteIn(batch: LayerBatch): [number, number][] {
  const found = new Map<number, number>();
  for (const tensor of [batch.logits(), batch.relevance()]) {
    const values = tensor.dataSync(); // [B, K], [B, Cout]
    const size = tensor.shape[1];
    values.forEach((value, at) => {
      if (!Number.isFinite(value)) found.set(Math.floor(at / size), value);
    });
  }
  return [...found];
}

async function download(tensors: Record<string, tf.Tensor>[][]): Promise<Record<string, BatchValues>[][]> {
  try {
    return await Promise.all(
      tensors.map((row) =>
        Promise.all(
          row.map(async (named) => {
            const entries = Object.entries(named).map(async ([name, tensor]) => [name, await tensor.data()] as const);
            return Object.fromEntries(await Promise.all(entries)) as Record<string, BatchValues>;
          }),
        ),
      ),
    );
  } finally {
    tf.dispose(tensors);
  }
}
