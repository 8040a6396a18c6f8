import * as tf from '@tensorflow/tfjs-core';
import ndarray, {type NdArray} from 'ndarray';
import {pixelSize} from '../images';
import {presetFor} from '../images/presetFor';
import {InputError} from '../common/errors';
import type {LabelledImages, PixelSize, Preset} from '../images/types';
import {firing} from '../network/firing';
import {applyLayer, linearLayer} from '../network/linearLayer';
import type {Model} from '../network/types';
import {receptiveField, type Rectangle} from '../network/receptiveField';
import type {Split} from '../split/types';
import {applyKernels, passLayer, type AtLayer, type EvaluationOptions, type LayerBatch} from './layerPass';

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
  /** Whether relevance maps are made, one backward pass a channel and image. @default false */
  relevance?: boolean;
}

type Studied = AtLayer & Pick<Split, 'kernelShape' | 'bias'>;

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
  {relevance = false, ...options}: PeakOptions = {},
): Promise<(Peak | undefined)[]> {
  const {before, layer} = studied;
  const count = kernels.length;
  const classNames = before.classNames ?? images.classNamesFor(before.classes);
  const found = new Map<string, Peak>();
  const fields = new Map<string, Rectangle>();
  const fieldAt = (row: number, column: number): Rectangle => {
    const key = `${row} ${column}`;
    const field = fields.get(key) ?? receptiveField(before.graph, layer, [row, column]) ?? pictureOf(before.inputShape);
    fields.set(key, field);
    return field;
  };
  const [height, width] = before.inputShape;
  const picture = pixelSize(presetFor(before, images, options.preset, studied.preset), height, width);
  const distinct = [...new Set(wanted.map(({index}) => index))];
  let columns = 1;
  await passLayer(
    studied,
    images,
    distinct,
    `looking where channels of ${layer} fire`,
    {batchSize: relevance ? 8 : 32, ...options},
    (batch) => {
      const outputs = signedOutputs(batch, studied, kernels); // [B, h, w, N]
      const [size, h, w] = outputs.shape;
      columns = w;
      const places = tf.argMax(tf.reshape(outputs, [size, h * w, count]), 1) as tf.Tensor2D; // [B, N]
      const logits = batch.network.head(batch.network.linear(batch.input), batch.crossing); // [B, K]
      const shares = tf.softmax(logits); // [B, K]
      return {
        places,
        predicted: tf.argMax(shares, 1), // [B]
        probability: tf.max(shares, 1), // [B]
        relevance: relevance ? relevanceOf(batch, studied, kernels, places, h * w) : tf.scalar(0), // [N, B, H, W]
      };
    },
    (values) => {
      values.images.forEach((index, b) => {
        const label = values.predicted[b];
        const predicted = {class: label, className: classNames[label], probability: values.probability[b]};
        kernels.forEach((_, n) => {
          const place = values.places[b * count + n];
          const [row, column] = [Math.floor(place / columns), place % columns];
          const at = (n * values.images.length + b) * height * width;
          found.set(`${index} ${n}`, {
            position: [row, column],
            field: fieldAt(row, column),
            picture,
            predicted,
            ...(relevance && {
              relevance: ndarray((values.relevance as Float32Array).slice(at, at + height * width), [height, width]),
            }),
          });
        });
      });
    },
  );
  return wanted.map(({index, kernel}) => found.get(`${index} ${kernel}`));
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
  const {shape, kernel, bias} = linearLayer(model.graph, layer);
  const [kh, kw, inputs, outputs] = shape;
  if (!Number.isInteger(channel) || channel < 0 || channel >= outputs) {
    throw new InputError(`invalid channel: ${channel}; layer ${layer} has channels 0 to ${outputs - 1}`);
  }
  const own = Float32Array.from({length: kh * kw * inputs}, (_, i) => kernel[i * outputs + channel]); // [taps, Cin]
  const studied = {
    before: model,
    layer,
    preset,
    kernelShape: [kh, kw, inputs] as Split['kernelShape'],
    bias: bias?.[channel] ?? 0,
  };
  const kernels = [{kernel: own, sign: firing(model.graph, layer).sign[channel]}];
  return peaksOf(
    studied,
    kernels,
    images,
    indices.map((index) => ({index, kernel: 0})),
    options,
  );
}

const pictureOf = ([height, width]: readonly number[]): Rectangle => ({top: 0, left: 0, height, width});

/** sign · Z of each kernel, [B, h, w, N]. */
function signedOutputs(batch: LayerBatch, studied: Studied, kernels: readonly PeakKernel[]): tf.Tensor4D {
  const outputs = applyKernels(
    batch,
    studied,
    kernels.map(({kernel}) => kernel),
  );
  return tf.mul(outputs, tf.tensor1d(kernels.map(({sign = 1}) => sign)));
}

/** |Σ_colours x · ∂Z/∂x| for each kernel's output at its own place, [N, B, H, W]. @param places [B, N] among `positions` */
function relevanceOf(
  {network, pixels}: LayerBatch,
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
