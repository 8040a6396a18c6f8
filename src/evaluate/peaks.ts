import * as tf from '@tensorflow/tfjs-core';
import ndarray, {type NdArray} from 'ndarray';
import {ensureBackend} from '../engine';
import {pixelSize, subset} from '../images';
import {presetFor} from '../images/presetFor';
import {checkChannel} from '../numerics/statistics';
import type {LabelledImages, PixelSize, Preset} from '../images/types';
import {firing} from '../network/firing';
import {applyLayer, channelKernel, linearLayer} from '../network/linearLayer';
import {networkAtLayer, type NetworkAtLayer} from '../network/networkAtLayer';
import type {Model} from '../network/types';
import {receptiveField, type Rectangle} from '../network/receptiveField';
import type {Split} from '../split/types';
import {throughImages} from '../pass/batches';
import {applyKernels, type EvaluationOptions} from './layerPass';

/** Where a channel fires most in an image, what it sees there, and what the network makes of the image. */
export interface Peak {
  /** Row and column of the highest output of the channel. */
  position: [row: number, column: number];
  /** The pixels of the network's input that this position can see. */
  field: Rectangle;
  /** The geometry of the network's input, as `LabelledImages.pixels` takes it. */
  picture: PixelSize;
  /** The class that the network gives the image, and its share of the softmax. */
  predicted: {class: number; className: string; probability: number};
  /** |Σ_colours x · ∂Z/∂x| for the output Z at the position, [H, W] of the network's input. */
  relevance?: NdArray<Float32Array>;
}

/** A channel as a kernel over the layer's input, [taps, Cin]; it fires where sign · Z is high. */
export interface PeakKernel {
  kernel: Float32Array;
  /** −1 for a channel that a negative γ of the batch norm behind it turns round. @default 1 */
  sign?: number;
}

export interface PeakOptions extends Omit<EvaluationOptions, 'randomSplits' | 'seed'> {
  /** Whether relevance maps are made, one backward pass per channel and image. @default false */
  relevance?: boolean;
}

/** A network at a layer, and the geometry and bias of the kernels. */
type Studied = Pick<Split, 'before' | 'layer' | 'preset' | 'kernelShape' | 'bias'>;

/**
 * The position where each channel fires most in an image, its receptive field, and the network's prediction.
 * @param wanted images, by their place among `images`, and the kernel to look at in each
 * @returns one for each of `wanted`; undefined for an image that cannot be read
 */
export async function peaksOf(
  studied: Studied,
  kernels: readonly PeakKernel[],
  images: LabelledImages,
  wanted: readonly {index: number; kernel: number}[],
  {relevance = false, batchSize = relevance ? 8 : 32, preset: given, ...running}: PeakOptions = {},
): Promise<(Peak | undefined)[]> {
  const distinct = [...new Set(wanted.map(({index}) => index))];
  if (distinct.length === 0) return [];
  await ensureBackend();
  const {before, layer, preset: recorded} = studied;
  const {inputShape} = before;
  const [height, width] = inputShape;
  const preset = presetFor(before, images, given, recorded);
  const picture = pixelSize(preset, height, width);
  const classNames = before.classNames ?? images.classNamesFor(before.classes);
  const fieldAt = rememberedFields(before, layer);
  const found = new Map<string, Peak>();
  const network = networkAtLayer(before, layer);
  const label = `looking where channels of ${layer} fire`;
  const about = {...running, label, inputShape, preset, batchSize, refuseNone: false};
  try {
    await throughImages(subset(images, {indices: distinct}), about, async (batch) => {
      if (batch.indices.length === 0) return;
      let columns = 1;
      const tensors = tf.tidy(() => {
        const pixels = batch.images(); // [B, H, W, C]
        const {input, crossing} = network.trunk(pixels);
        const outputs = signedOutputs(network, input, studied, kernels); // [B, h, w, N]
        const [size, h, w] = outputs.shape;
        columns = w;
        const places = tf.argMax(tf.reshape(outputs, [size, h * w, kernels.length]), 1) as tf.Tensor2D; // [B, N]
        const shares = tf.softmax(network.head(network.linear(input), crossing)); // [B, K]
        return {
          places,
          predicted: tf.argMax(shares, 1), // [B]
          probability: tf.max(shares, 1), // [B]
          maps: relevance ? relevanceOf(network, pixels, studied, kernels, places, h * w) : tf.scalar(0), // [N, B, H, W]
        };
      });
      const [places, predicted, probability, maps] = await Promise.all(
        [tensors.places, tensors.predicted, tensors.probability, tensors.maps].map((tensor) => tensor.data()),
      );
      tf.dispose(tensors);
      batch.indices.forEach((own, b) => {
        const named = {class: predicted[b], className: classNames[predicted[b]], probability: probability[b]};
        kernels.forEach((_, n) => {
          const place = places[b * kernels.length + n];
          const position: Peak['position'] = [Math.floor(place / columns), place % columns];
          const at = (n * batch.indices.length + b) * height * width;
          const map = relevance && ndarray((maps as Float32Array).slice(at, at + height * width), [height, width]);
          const peak: Peak = {position, field: fieldAt(position), picture, predicted: named};
          found.set(`${distinct[own]} ${n}`, map ? {...peak, relevance: map} : peak);
        });
      });
    });
  } finally {
    network.dispose();
  }
  return wanted.map(({index, kernel}) => found.get(`${index} ${kernel}`));
}

/** The receptive field of a position, each computed once; the whole picture where a position sees no pixel. */
function rememberedFields({graph, inputShape: [height, width]}: Model, layer: string) {
  const fields = new Map<string, Rectangle>();
  return (position: Peak['position']): Rectangle => {
    const key = String(position);
    const field = fields.get(key) ?? receptiveField(graph, layer, position) ?? {top: 0, left: 0, height, width};
    fields.set(key, field);
    return field;
  };
}

/**
 * The peaks of one channel of a network in some images.
 * @param images those with places `indices`
 * @returns one for each of `indices`; undefined for an image that cannot be read
 * @throws InputError for a layer or channel that the network lacks
 */
export function channelPeaks(
  {model, layer, channel, preset}: {model: Model; layer: string; channel: number; preset?: Preset},
  images: LabelledImages,
  indices: readonly number[],
  options: PeakOptions = {},
): Promise<(Peak | undefined)[]> {
  const linear = linearLayer(model.graph, layer);
  checkChannel({layer: linear}, channel);
  const [kh, kw, inputs] = linear.shape;
  const studied = {
    before: model,
    layer,
    preset,
    kernelShape: [kh, kw, inputs] as Split['kernelShape'],
    bias: linear.bias?.[channel] ?? 0,
  };
  const kernels = [{kernel: channelKernel(linear, channel), sign: firing(model.graph, layer).sign[channel]}];
  return peaksOf(
    studied,
    kernels,
    images,
    indices.map((index) => ({index, kernel: 0})),
    options,
  );
}

/** sign · Z of each kernel, [B, h, w, N]. */
function signedOutputs(
  {layer}: NetworkAtLayer,
  input: tf.Tensor,
  studied: Studied,
  kernels: readonly PeakKernel[],
): tf.Tensor4D {
  const own = kernels.map(({kernel}) => kernel);
  const outputs = applyKernels({layer, input: () => input}, studied, own);
  return tf.mul(outputs, tf.tensor1d(kernels.map(({sign = 1}) => sign)));
}

/** |Σ_colours x · ∂Z/∂x| for each kernel's output at its own place, [N, B, H, W]. @param places [B, N] among `positions` */
function relevanceOf(
  network: NetworkAtLayer,
  pixels: tf.Tensor4D,
  {kernelShape}: Studied,
  kernels: readonly PeakKernel[],
  places: tf.Tensor2D,
  positions: number,
): tf.Tensor4D {
  // 1 at each image's place; an engine's one-hot wants two positions at least.
  const chosen = tf
    .unstack(places, 1)
    .map((own) => tf.cast(tf.equal(tf.expandDims(own, 1), tf.range(0, positions, 1, 'int32')), 'float32')); // N × [B, h·w]
  const maps = kernels.map(({kernel}, n) => {
    // Made outside of what is differentiated, which would free it before the way back; bias and sign do not matter here.
    const own = tf.tensor4d(kernel, [...kernelShape, 1]); // [kh, kw, Cin, 1]
    const atPlace = (x: tf.Tensor) => {
      const z = applyLayer(network.layer, network.trunk(x as tf.Tensor4D).input, own); // [B, h, w, 1]
      return tf.sum(tf.mul(tf.reshape(z, [-1, positions]), chosen[n])) as tf.Scalar;
    };
    const gradient = tf.grad(atPlace)(pixels); // [B, H, W, C]
    return tf.abs(tf.sum(tf.mul(pixels, gradient), 3)); // [B, H, W]
  });
  return tf.stack(maps) as tf.Tensor4D; // [N, B, H, W]
}
