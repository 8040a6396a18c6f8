import * as tf from '@tensorflow/tfjs-core';
import {imageBatches} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import {nodeOf} from '../../src/network/graph';
import {describeLayer, type LinearLayer} from '../../src/network/linearLayer';
import type {Split} from '../../src/split/types';
import {slowConvolution} from './convolution';
import {CLASSES, smallLayersModel, type SmallNetwork} from './smallNetworks';
import {runLayers} from './twoPasses';

/** One image at the studied layer, by loops and autodiff through the unfolded network. */
export interface SlowImage {
  label: number;
  /** The channel's share of the positive relevance, by both definitions. */
  published: number;
  detection: number;
  /** Output of a kernel [taps, Cin] with the channel's bias, at every position. */
  output(kernel: ArrayLike<number>): Float64Array;
  /** Logits with the channel replaced by `output`. */
  logits(output: ArrayLike<number>): number[];
}

/** Looks at every image of the list, in order; `dispose` when no logits are needed any more. */
export async function slowImages(
  network: SmallNetwork,
  split: Split,
  images: LabelledImages,
): Promise<{slow: SlowImage[]; dispose(): void}> {
  const layers = smallLayersModel(network);
  const layer = describeLayer(nodeOf(split.before.graph, 'studied')) as LinearLayer;
  const reads = nodeOf(split.before.graph, 'studied').inputs[0];
  const labels = images.labelsFor(CLASSES);
  const [channel, outputs] = [split.channel, layer.shape[3]];
  const result: SlowImage[] = [];
  for await (const batch of imageBatches(images, {inputShape: split.before.inputShape, batchSize: 1})) {
    const label = labels[batch.indices[0]];
    const input = tf.tidy(() => runLayers(layers, tf.tensor4d(batch.pixels, batch.shape)).get(reads)!.arraySync());
    const x = (input as number[]).flat(Infinity) as number[];
    const side = layer.kind === 'dense' ? 1 : (input as number[][][])[0].length;
    const convolve = (kernel: ArrayLike<number>, count: number) =>
      slowConvolution(
        {
          input: [1, side, side, layer.shape[2]],
          filter: [layer.shape[0], layer.shape[1], layer.shape[2], count],
          stride: layer.strides,
          dilation: layer.dilation,
          pad: layer.padding as 'same' | 'valid',
          depthwise: false,
        },
        x,
        kernel,
      );
    const z = convolve(layer.kernel, outputs).map((value, at) => value + (layer.bias?.[at % outputs] ?? 0));
    const shape = [1, ...(layers.getLayer('studied').outputShape as number[]).slice(1)];
    const logitsOf = (at: tf.Tensor) =>
      runLayers(layers, tf.tensor4d(batch.pixels, batch.shape), {layer: 'studied', output: at}).get('logits')!;
    const gradient = tf.tidy(() =>
      tf
        .grad((at: tf.Tensor) => tf.sum(tf.slice(logitsOf(at), [0, label], [1, 1])))(tf.tensor(Array.from(z), shape))
        .dataSync(),
    );
    const [clamped, summed] = [new Float64Array(outputs), new Float64Array(outputs)];
    z.forEach((value, at) => {
      clamped[at % outputs] += Math.max(value * gradient[at], 0);
      summed[at % outputs] += value * gradient[at];
    });
    const total = (values: Float64Array) => values.reduce((sum, value) => sum + Math.max(value, 0), 0);
    result.push({
      label,
      published: clamped[channel] / (total(clamped) || 1),
      detection: summed[channel] / (total(summed) || 1),
      output: (kernel) => convolve(kernel, 1).map((value) => value + split.bias),
      logits: (output) =>
        tf.tidy(() => {
          const changed = z.map((value, at) => (at % outputs === channel ? output[Math.floor(at / outputs)] : value));
          return Array.from(logitsOf(tf.tensor(Array.from(changed), shape)).dataSync());
        }),
    });
  }
  return {slow: result, dispose: () => layers.dispose()};
}

export const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);
export const positiveSum = (values: ArrayLike<number>) => sumOf(Array.from(values, (value) => Math.max(value, 0)));
export const meanOf = (values: readonly number[]) => sumOf(values) / values.length;
