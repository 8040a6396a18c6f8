import * as tf from '@tensorflow/tfjs-core';
import {subset} from '../images';
import type {LabelledImages, Preset} from '../images/types';
import {batchNormAffine, foldBatchNorm} from '../network/fold';
import {consumersOf, type Graph} from '../network/graph';
import {linearLayer, type LinearLayer} from '../network/linearLayer';
import {logitsGraph} from '../network/logits';
import {makeModel} from '../network/model';
import type {Model} from '../network/types';
import type {LongCallOptions} from '../common/progress';
import {sharesOf} from '../pass/layerBatch';
import {runPass, type BatchCollector} from '../pass/runPass';
import type {BatchValues, LayerBatch} from '../pass/types';
import {networkAtLayer, type NetworkAtLayer} from '../network/networkAtLayer';
import type {SecondMoment} from '../split/types';
import type {ChannelRelevance} from './choosePlants';
import {copyRow, emptyInputs, momentCache, sizeOf, type ClassInputs} from './classInputs';
import {checkMemory, type ValuesOfOne} from './memory';

/** A layer with batch norm folded in, and its inputs for all classes. */
export interface StudiedLayer {
  /** W̃ = s·W, with s the scale of the batch norm behind it; without bias. */
  layer: LinearLayer;
  /** The layer's own bias times s, [Cout]; the batch norm's shift is no part of m. */
  ownBias: Float64Array;
  /** s·b and the batch norm's shift together, what the folded layer adds, [Cout]. */
  shift: Float64Array;
  network: NetworkAtLayer;
  relevance: ChannelRelevance;
  discovery: Map<number, ClassInputs>;
  heldOut: Map<number, ClassInputs>;
  zeroInputShare: number;
  /** Top-1 on the discovery images. */
  top1: number;
  /** E[x xᵀ] over the discovery images of some classes, equal weight to each. */
  moment(classes: readonly number[]): Promise<SecondMoment | undefined>;
  dispose(): void;
}

/** A class takes part with so many images of each kind. */
export const LEAST_IMAGES = {discovery: 8, heldOut: 4};

export interface StudyOptions extends LongCallOptions {
  layer: string;
  tau: number;
  p: number;
  discoveryPerClass: number;
  heldOutPerClass: number;
  preset: Preset;
  batchSize: number;
  /** What may be kept of the images, in bytes. @default 6e9 */
  mostBytes?: number;
}

/**
 * Runs the network up to the layer once an image and keeps what comes out.
 * @throws InputError for an unknown layer, or where X and what passes the layer by take more than `mostBytes`
 */
export async function studyLayer(
  model: Model,
  images: {discovery: LabelledImages; heldOut: LabelledImages},
  options: StudyOptions,
): Promise<StudiedLayer> {
  const chosen = {
    discovery: chooseImages(images.discovery, model.classes, options.discoveryPerClass),
    heldOut: chooseImages(images.heldOut, model.classes, options.heldOutPerClass),
  };
  const classes = [...chosen.discovery.perClass.keys()]
    .filter((k) => chosen.discovery.perClass.get(k)! >= LEAST_IMAGES.discovery)
    .filter((k) => (chosen.heldOut.perClass.get(k) ?? 0) >= LEAST_IMAGES.heldOut)
    .sort((a, b) => a - b);
  const plain = linearLayer(model.graph, options.layer);
  const graph = foldBatchNorm(logitsGraph(model.graph));
  const folded = makeModel(graph, {name: model.name, preset: model.preset});
  const network = networkAtLayer(folded, options.layer);
  const outputs = plain.shape[3];
  const shift = Float64Array.from({length: outputs}, (_, c) => network.layer.bias?.[c] ?? 0);
  const scale = foldedScale(model.graph, graph, options.layer, outputs);
  const ownBias = Float64Array.from({length: outputs}, (_, c) => (plain.bias?.[c] ?? 0) * scale[c]);
  try {
    const important = new Float64Array(outputs * model.classes);
    const hits = {right: 0, all: 0};
    const zeros = {zeros: 0, all: 0};
    const taken = {discovery: imagesOf(chosen.discovery, classes), heldOut: imagesOf(chosen.heldOut, classes)};
    const discovery = await readInputs(folded, chosen.discovery, classes, options, {
      label: `reading ${options.layer}'s inputs (discovery)`,
      all: true,
      check: (values) => checkMemory(values, taken, options.layer, options.mostBytes),
      measure: (batch) => ({
        relevance: channelRelevance(batch.output(), batch.gradient(), shift, ownBias), // [B, Cout]
        top: tf.argMax(batch.logits(), 1), // [B]
      }),
      add: (labels, {input, relevance, top}) => {
        const shares = sharesOf(relevance, outputs);
        labels.forEach((k, b) => {
          for (let c = 0; c < outputs; c++)
            important[c * model.classes + k] += Number(shares[b * outputs + c] >= options.tau);
          hits.right += Number(top[b] === k);
        });
        hits.all += labels.length;
        zeros.zeros += (input as Float32Array).reduce((count, value) => count + Number(value === 0), 0);
        zeros.all += input.length;
      },
    });
    const heldOut = await readInputs(folded, chosen.heldOut, classes, options, {
      label: `reading ${options.layer}'s inputs (held out)`,
      all: false,
    });
    for (let at = 0; at < important.length; at++) important[at] /= discovery.get(at % model.classes)?.count || 1;
    const layer: LinearLayer = {...network.layer, bias: undefined};
    return {
      layer,
      ownBias,
      shift,
      network,
      relevance: {importance: important, channels: outputs, outputs: model.classes, classes, p: options.p},
      discovery,
      heldOut,
      zeroInputShare: zeros.zeros / zeros.all,
      top1: hits.right / hits.all,
      moment: momentCache(layer, discovery),
      dispose: () => {
        network.dispose();
        folded.dispose();
      },
    };
  } catch (error) {
    network.dispose();
    folded.dispose();
    throw error;
  }
}

/** The first images of each class. */
function chooseImages(images: LabelledImages, outputs: number, perClass: number) {
  const labels = images.labelsFor(outputs);
  const counts = new Map<number, number>();
  const indices = [...labels.keys()].filter((index) => {
    const seen = counts.get(labels[index]) ?? 0;
    counts.set(labels[index], Math.min(seen + 1, perClass));
    return seen < perClass;
  });
  return {images: subset(images, {indices}), perClass: counts};
}

const imagesOf = ({perClass}: {perClass: Map<number, number>}, classes: readonly number[]) =>
  classes.reduce((sum, k) => sum + (perClass.get(k) ?? 0), 0);

/** The scale that a batch norm behind the layer put into its kernel, [Cout]; ones where none was folded. */
function foldedScale(before: Graph, after: Graph, layer: string, outputs: number): Float64Array {
  const behind = consumersOf(before, layer);
  const gone = behind.length === 1 && !after.nodes.some(({name}) => name === behind[0].name);
  return gone && behind[0].operator === 'BatchNormalization'
    ? batchNormAffine(behind[0], outputs).scale
    : new Float64Array(outputs).fill(1);
}

interface Reading {
  label: string;
  /** Keep the crossing tensors and T besides. */
  all: boolean;
  /** Refuses what does not fit into memory, before any of it is kept. */
  check?(values: ValuesOfOne): void;
  /** What else of a batch is wanted, and what is done with it. */
  measure?(batch: LayerBatch): Record<string, tf.Tensor>;
  add?(labels: Int32Array, values: Record<string, BatchValues>): void;
}

async function readInputs(
  model: Model,
  {images, perClass}: {images: LabelledImages; perClass: Map<number, number>},
  classes: readonly number[],
  {layer, preset, batchSize, progress, signal}: StudyOptions,
  {label, all, check, measure, add}: Reading,
): Promise<Map<number, ClassInputs>> {
  const kept = new Map<number, ClassInputs>();
  const labels = images.labelsFor(model.classes);
  const wanted = new Set(classes);
  const indices = [...labels.keys()].filter((index) => wanted.has(labels[index]));
  if (indices.length === 0) return kept;
  const list = subset(images, {indices});
  let shapes: {input: number[]; crossing: number[][]; sums: number} | undefined;
  const passingName = (n: number) => `crossing ${n}`;
  const collector: BatchCollector = {
    init: () => undefined,
    measure(batch) {
      const input = batch.input();
      const passing = all ? batch.crossing() : [];
      const sums = all ? batch.inputSums() : undefined; // [B, taps, Cin]
      shapes = {
        input: input.shape,
        crossing: passing.map(({shape}) => shape),
        sums: sums ? sums.size / sums.shape[0] : 0,
      };
      const crossing = passing.map((tensor, n) => [passingName(n), tf.clone(tensor)] as const);
      return {
        ...measure?.(batch),
        input: tf.clone(input),
        ...(sums && {sums: tf.clone(sums)}),
        ...Object.fromEntries(crossing),
      };
    },
    add(_state, batch, values) {
      const count = batch.labels.length;
      const {input, crossing, sums} = shapes!;
      if (kept.size === 0)
        check?.({
          input: sizeOf(input.slice(1)),
          passing: crossing.reduce((sum, shape) => sum + sizeOf(shape.slice(1)), 0),
          sums,
        });
      add?.(batch.labels, values);
      const passing = crossing.map((shape, n) => [shape, values[passingName(n)] as Float32Array] as const);
      batch.labels.forEach((k, b) => {
        if (!kept.has(k)) kept.set(k, emptyInputs(perClass.get(k)!, input, passing, sums));
        const inputs = kept.get(k)!;
        copyRow(inputs.input, inputs.count, values.input as Float32Array, b, count);
        passing.forEach(([, data], n) => copyRow(inputs.crossing[n].data, inputs.count, data, b, count));
        if (all) copyRow(inputs.sums, inputs.count, values.sums as Float32Array, b, count);
        inputs.count += 1;
      });
    },
  };
  await runPass(model, list, {layers: [layer], label, preset, batchSize, progress, signal}, [collector]);
  return kept;
}

/** R_c = Σ_hw Z_c·∂y/∂Z_c, with Z before batch norm: the shift that folding added is taken off again. [B, Cout] */
export function channelRelevance(
  z: tf.Tensor4D,
  gradient: tf.Tensor4D,
  shift: Float64Array,
  ownBias: Float64Array,
): tf.Tensor2D {
  return tf.tidy(() => {
    const offset = tf.tensor1d(Float32Array.from(shift, (value, c) => ownBias[c] - value)); // [Cout]
    return tf.sum(tf.mul(tf.add(z, offset), gradient), [1, 2]) as tf.Tensor2D;
  });
}
