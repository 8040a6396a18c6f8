import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {unsafeUniformIntDistribution, xoroshiro128plus} from 'pure-rand';
import {graphFrom} from '../../src/formats/modelFrom';
import {makeModel} from '../../src/network/model';
import {imagesFromPixels} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import type {Model} from '../../src/network/types';

/** Small random networks with every kind of layer of interest, named `studied`. */
export interface SmallNetwork {
  kind: 'conv' | 'dense';
  size?: number;
  strides?: number;
  padding?: 'same' | 'valid';
  dilation?: number;
  bias?: boolean;
  activation?: 'linear' | 'relu';
  /** A shortcut past the studied layer. */
  residual?: boolean;
  softmax?: boolean;
  seed?: number;
}

export const SIDE = 9;
export const CLASSES = 4;
const CHANNELS = 6;

/** Uniform numbers in [low, high), the same for the same seed. */
export function uniform(seed: number, low = 0, high = 1): () => number {
  const generator = xoroshiro128plus(seed);
  return () => low + ((high - low) * unsafeUniformIntDistribution(0, 0xffffff, generator)) / 0x1000000;
}

/** The LayersModel; the caller disposes of it. */
export function smallLayersModel(options: SmallNetwork): tfl.LayersModel {
  const {kind, size = 1, strides = 1, padding = 'same', dilation = 1, bias = false, activation = 'linear'} = options;
  const {layers} = tfl;
  const input = tfl.input({shape: [SIDE, SIDE, 3], name: 'image'});
  let x = layers
    .conv2d({filters: CHANNELS, kernelSize: 3, padding: 'same', useBias: false, name: 'first'})
    .apply(input) as tfl.SymbolicTensor;
  x = layers.batchNormalization({name: 'first_bn'}).apply(x) as tfl.SymbolicTensor;
  x = layers.activation({activation: 'relu', name: 'first_relu'}).apply(x) as tfl.SymbolicTensor;
  const before = x;
  if (kind === 'dense') {
    x = layers.flatten({name: 'flat'}).apply(x) as tfl.SymbolicTensor;
    x = layers.dense({units: 7, useBias: bias, activation, name: 'studied'}).apply(x) as tfl.SymbolicTensor;
  } else {
    x = layers
      .conv2d({
        filters: CHANNELS,
        kernelSize: size,
        strides,
        padding,
        dilationRate: dilation,
        useBias: bias,
        activation,
        name: 'studied',
      })
      .apply(x) as tfl.SymbolicTensor;
    x = layers.batchNormalization({name: 'studied_bn'}).apply(x) as tfl.SymbolicTensor;
    if (options.residual) x = layers.add({name: 'sum'}).apply([x, before]) as tfl.SymbolicTensor;
  }
  x = layers.activation({activation: 'relu', name: 'studied_relu'}).apply(x) as tfl.SymbolicTensor;
  if (kind === 'conv') x = layers.globalAveragePooling2d({name: 'pool'} as never).apply(x) as tfl.SymbolicTensor;
  x = layers
    .dense({units: CLASSES, activation: options.softmax ? 'softmax' : 'linear', name: 'logits'})
    .apply(x) as tfl.SymbolicTensor;
  const model = tfl.model({inputs: input, outputs: x, name: 'small'});
  const draw = uniform(options.seed ?? 1, -1, 1);
  tf.tidy(() => {
    for (const layer of model.layers) {
      layer.setWeights(
        layer.weights.map(({originalName, shape}) => {
          const sizes = shape as number[];
          const fan = sizes.slice(0, -1).reduce((product, length) => product * length, 1);
          const values = Array.from({length: sizes.reduce((a, b) => a * b, 1)}, draw);
          // Variances are positive; kernels keep activations near one.
          if (originalName.endsWith('moving_variance'))
            return tf.tensor(
              values.map((v) => 0.6 + 0.4 * v),
              sizes,
            );
          return tf.tensor(
            originalName.endsWith('kernel') ? values.map((v) => (2 * v) / Math.sqrt(fan)) : values,
            sizes,
          );
        }),
      );
    }
  });
  return model;
}

export function smallModel(options: SmallNetwork): Model {
  const network = smallLayersModel(options);
  try {
    return makeModel(graphFrom(network), {name: 'small', preset: SMALL_PRESET});
  } finally {
    network.dispose();
  }
}

export const SMALL_PRESET = {name: 'small', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]} as const;

/** Random pictures, class k brighter in its own corner. */
export function smallImages(count: number, seed = 5, name = 'small images'): LabelledImages {
  const draw = uniform(seed, 0, 160);
  const labels = Array.from({length: count}, (_, index) => index % CLASSES);
  const pixels = labels.map((label) => {
    const picture = Uint8Array.from({length: SIDE * SIDE * 3}, () => draw());
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++)
        picture[((y + 5 * (label >> 1)) * SIDE + x + 5 * (label & 1)) * 3 + (label % 3)] += 90;
    }
    return picture;
  });
  return imagesFromPixels({
    name,
    pixels,
    height: SIDE,
    width: SIDE,
    labels,
    paths: labels.map((label, index) => `class${label}/${seed}-${index}.png`),
    preset: SMALL_PRESET,
  });
}

/** Every shape that a studied layer may have. */
export const STUDIED_LAYERS: Record<string, SmallNetwork> = {
  'a 1×1 convolution': {kind: 'conv'},
  'a 3×3 convolution with stride 2': {kind: 'conv', size: 3, strides: 2},
  'a 3×3 convolution without padding, with bias and relu': {
    kind: 'conv',
    size: 3,
    padding: 'valid',
    bias: true,
    activation: 'relu',
  },
  'a dilated 3×3 convolution': {kind: 'conv', size: 3, dilation: 2},
  'a 3×3 convolution beside a shortcut, with softmax': {kind: 'conv', size: 3, residual: true, softmax: true},
  'a dense layer with bias': {kind: 'dense', bias: true},
};
