import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {ensureBackend} from '../engine';
import {longCall} from '../engine/longCall';
import type {LabelledImages, Preset, PresetOption} from '../images/types';
import type {Model} from '../network/types';
import {networkAtLayer, type NetworkAtLayer} from '../network/networkAtLayer';
import {halfOf} from '../numerics/pathHash';
import {actGrad} from './attribution/actGrad';
import {checkBatchSize, decodedBatches, type DecodedBatch} from './batches';
import {layerBatch} from './layerBatch';
import {presetFor} from './preset';
import type {Attribution, BatchImages, BatchValues, Collector, LayerBatch} from './types';

export interface PassOptions extends LongCallOptions {
  /** Layers of interest; `model.layers()` lists them. */
  layers: readonly string[];
  /** What the progress bar calls it. @default going through the images */
  label?: string;
  /** How pixels become input. @default the images' preset, else `recordedPreset`, else the model's */
  preset?: PresetOption;
  /** The preset of an earlier call on perhaps other images. */
  recordedPreset?: Preset;
  /** Images a batch. @default 32 */
  batchSize?: number;
  /** @default activation × gradient */
  attribution?: Attribution;
  /** What an unreadable image, or one whose relevance is not finite, does. @default 'skip' (named and counted) */
  unreadable?: 'skip' | 'fail';
  /** So many unreadable images in a row end the pass. @default 1 in 100 of the list, at least 16 */
  unreadableInARow?: number;
  /** Go on after so many images of the list, with these states, by layer and collector. */
  resume?: {from: number; states: readonly (readonly unknown[])[]};
  /** Called when every collector has a batch, before the next; what it takes time for is waited for. */
  afterBatch?: (batch: PassedBatch) => Promise<void> | void;
}

/** Where a pass stands after a batch. */
export interface PassedBatch {
  images: BatchImages;
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
  collectors: readonly Collector[],
): Promise<unknown[][]> {
  const {layers, label = 'going through the images', attribution = actGrad, resume, afterBatch} = options;
  checkBatchSize(options.batchSize ?? 32);
  await ensureBackend();
  const preset = presetFor(model, images, options.preset, options.recordedPreset);
  const labels = images.labelsFor(model.classes);
  const classNames = model.classNames ?? images.classNamesFor(model.classes);
  const networks: NetworkAtLayer[] = [];
  try {
    for (const layer of layers) networks.push(networkAtLayer(model, layer));
    const states = networks.map((network, n) =>
      collectors.map((collector, at) =>
        resume ? resume.states[n][at] : collector.init({model, layer: network.layer, classNames}),
      ),
    );
    const from = resume?.from ?? 0;
    const about = {label, total: images.paths.length, unit: 'images', done: from};
    await longCall(about, options, async (task, signal) => {
      const stream = {...options, inputShape: model.inputShape, preset, from, signal};
      for await (const decoded of decodedBatches(images, stream, task)) {
        const passed = await measured(decoded);
        await afterBatch?.({...passed, signal});
      }
    });
    return states;

    async function measured(decoded: DecodedBatch): Promise<Omit<PassedBatch, 'signal'>> {
      let {indices} = decoded;
      let positions: number[] | undefined;
      const skipped = [...decoded.skipped];
      while (indices.length > 0) {
        const about = batchImages(images, labels, indices);
        const found = tf.tidy(() => measure(decoded, positions, about));
        if ('notFinite' in found) {
          const kept = [...indices.keys()].filter((b) => !found.notFinite.has(b));
          for (const [b, what] of found.notFinite) skipped.push(refuseNotFinite(about.paths[b], what));
          positions = kept.map((b) => positions?.[b] ?? b);
          indices = kept.map((b) => indices[b]);
          continue;
        }
        const values = await download(found.tensors);
        states.forEach((row, n) => row.forEach((state, at) => collectors[at].add(state, about, values[n][at])));
        return {images: about, skipped};
      }
      return {images: batchImages(images, labels, []), skipped};
    }

    function measure(decoded: DecodedBatch, positions: number[] | undefined, about: BatchImages): Measured {
      const all = decoded.images(); // [B, H, W, C]
      const pixels = positions ? tf.gather(all, tf.tensor1d(positions, 'int32')) : all;
      const batches = networks.map((network) => layerBatch(network, pixels, about, attribution));
      const asked = batches.map(recordsRelevance);
      const tensors = asked.map(({batch}, n) =>
        collectors.map((collector, at) => collector.measure(batch, states[n][at])),
      );
      const notFinite = new Map(asked.flatMap(({batch, wasAsked}) => (wasAsked() ? notFiniteIn(batch) : [])));
      return notFinite.size > 0 ? {notFinite} : {tensors};
    }

    function refuseNotFinite(path: string, value: number): {path: string; reason: string} {
      const reason = `its relevance is not finite (${value})`;
      if ((options.unreadable ?? 'skip') === 'skip') return {path, reason};
      throw new InputError(
        `image ${path}: ${reason}, so the network overflows on it; leave such images out (unreadable: 'skip') or see whether the preset is the network's`,
      );
    }
  } finally {
    for (const network of networks) network.dispose();
  }
}

type Measured = {notFinite: Map<number, number>} | {tensors: Record<string, tf.Tensor>[][]};

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

/** Images with a relevance that is no number, and that value. */
function notFiniteIn(batch: LayerBatch): [number, number][] {
  const values = batch.relevance().dataSync(); // [B, Cout]
  const outputs = batch.layer.shape[3];
  const rows = Array.from(batch.labels.keys(), (b) => values.subarray(b * outputs, (b + 1) * outputs));
  return rows.flatMap((row, b): [number, number][] => {
    const wrong = row.find((value) => !Number.isFinite(value));
    return wrong === undefined ? [] : [[b, wrong]];
  });
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
