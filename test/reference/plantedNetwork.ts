import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {graphFrom} from '../../src/formats/modelFrom';
import {makeModel} from '../../src/network/model';
import {imagesFromPixels} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import type {Model} from '../../src/network/types';
import {uniform} from './smallNetworks';

/** A network whose channels each answer to one colour, and pictures of colours: channels that can be planted, without training. */

const COLOURS = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [0, 1, 1],
  [1, 0, 1],
];
export const COLOUR_CLASSES = COLOURS.length;
export const SIDE = 5;
/** Channels of the layer `studied`; channel c answers to colour c % 6. */
export const CHANNELS = 9;
const FEATURES = 14;
const PRESET = {name: 'colours', mean: [0, 0, 0], std: [1, 1, 1]} as const;

export interface PlantedNetwork {
  seed?: number;
  /** Taps a side of the studied layer. */
  size?: 1 | 3;
  /** Batch norm behind the studied layer. */
  norm?: boolean;
  bias?: boolean;
}

export function plantedNetwork({seed = 3, size = 1, norm = true, bias = false}: PlantedNetwork = {}): Model {
  const draw = uniform(seed, -1, 1);
  const first = Array.from({length: 3 * FEATURES}, () => 1.5 * draw()); // [3, FEATURES]
  const features = COLOURS.map((colour) =>
    Array.from({length: FEATURES}, (_, f) =>
      Math.max(
        0,
        colour.reduce((sum, value, c) => sum + value * first[c * FEATURES + f], -0.3),
      ),
    ),
  );
  const mean = features[0].map((_, f) => features.reduce((sum, row) => sum + row[f], 0) / COLOUR_CLASSES);
  const studied = Array.from({length: size * size * FEATURES * CHANNELS}, (_, at) => {
    const [c, f] = [at % CHANNELS, Math.floor(at / CHANNELS) % FEATURES];
    return (features[c % COLOUR_CLASSES][f] - mean[f] + 0.2 * draw()) / (size * size);
  });
  const logits = Array.from({length: CHANNELS * COLOUR_CLASSES}, (_, at) => {
    const [c, k] = [Math.floor(at / COLOUR_CLASSES), at % COLOUR_CLASSES];
    return c % COLOUR_CLASSES === k ? 1 : 0.02 * draw();
  });
  const {layers} = tfl;
  const input = tfl.input({shape: [SIDE, SIDE, 3], name: 'image'});
  let x = layers.conv2d({filters: FEATURES, kernelSize: 1, activation: 'relu', name: 'first'}).apply(input);
  x = layers.conv2d({filters: CHANNELS, kernelSize: size, padding: 'same', useBias: bias, name: 'studied'}).apply(x);
  if (norm) x = layers.batchNormalization({name: 'studied_bn'}).apply(x);
  x = layers.activation({activation: 'relu', name: 'studied_relu'}).apply(x);
  x = layers.globalAveragePooling2d({name: 'pool'} as never).apply(x);
  x = layers.dense({units: COLOUR_CLASSES, name: 'logits'}).apply(x);
  const network = tfl.model({inputs: input, outputs: x as tfl.SymbolicTensor, name: 'colours'});
  const values: Record<string, number[]> = {first, studied, logits};
  tf.tidy(() => {
    for (const layer of network.layers) {
      layer.setWeights(
        layer.weights.map(({originalName, shape}) => {
          const name = originalName.split('/').pop() as string;
          const count = (shape as number[]).reduce((product, length) => product * length, 1);
          const own =
            name === 'kernel' ? values[layer.name] : Array.from({length: count}, () => normValue(name, draw()));
          const data = name === 'bias' && layer.name === 'first' ? own.map(() => -0.3) : own;
          return tf.tensor(data, shape as number[]);
        }),
      );
    }
  });
  try {
    return makeModel(graphFrom(network), {name: 'colours', preset: PRESET});
  } finally {
    network.dispose();
  }
}

function normValue(name: string, value: number): number {
  if (name === 'gamma' || name === 'moving_variance') return 1 + 0.3 * value;
  return 0.05 * value;
}

/** Pictures of the colours: patches of the colour, darker and lighter, among dark pixels and some of other colours. */
export function colourImages(
  perClass: number,
  {seed = 1, classes = COLOUR_CLASSES, name = 'colours'} = {},
): LabelledImages {
  const draw = uniform(seed);
  const labels = Array.from({length: perClass * classes}, (_, index) => index % classes);
  const pixels = labels.map((label) => {
    const picture = new Uint8Array(SIDE * SIDE * 3);
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const colour = draw() < 0.85 ? COLOURS[label] : COLOURS[Math.floor(draw() * COLOUR_CLASSES)];
      const light = draw() < 0.3 ? 0 : 120 + 100 * draw();
      colour.forEach((value, c) => (picture[3 * pixel + c] = value * light + 30 * draw()));
    }
    return picture;
  });
  return imagesFromPixels({name, pixels, height: SIDE, width: SIDE, labels, preset: PRESET});
}
