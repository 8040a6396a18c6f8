import * as tfl from '@tensorflow/tfjs-layers';
import type {Preset} from '../images/types';
import {DEMO_CLASSES, DEMO_SIZE} from './generator';

/** Pixels as the demo network takes them: x / 255 − 0.5. */
export const DEMO_PRESET: Preset = {name: 'demo', mean: [0.5, 0.5, 0.5], std: [1, 1, 1]};

/**
 * Where β of `bn4` starts. With β = −1.5 its ReLU passes 7 to 10 % of the values, so that `conv5` reads sparse inputs: the
 * one thing that makes its 16 channels stand for several unrelated classes each.
 */
const SPARSE_BETA = -1.5;

/** Weight of the sum of squared kernel weights in the loss. */
const WEIGHT_DECAY = 1e-4;

export interface DemoNetworkOptions {
  /** Seed of the initial weights. */
  seed: number;
  /** Whether the loss counts the squared weights; of use in training only. @default false */
  decay?: boolean;
}

/**
 * The demo network with its initial weights: images [B, 48, 48, 3] → logits [B, 24], 81,928 trained numbers. Five blocks
 * of convolution, batch norm and ReLU, the last convolution a 1×1 layer of 16 channels (`conv5`), then the mean over
 * positions and a dense layer. The caller disposes of it.
 */
export function buildDemoNetwork({seed, decay = false}: DemoNetworkOptions): tfl.LayersModel {
  let draws = 0;
  // Every layer needs a seed of its own, or layers of one shape would start alike.
  const kernel = () => ({
    kernelInitializer: tfl.initializers.glorotUniform({seed: 1000 * (seed + 1) + draws++}),
    ...(decay ? {kernelRegularizer: tfl.regularizers.l2({l2: WEIGHT_DECAY})} : {}),
  });
  const input = tfl.input({shape: [DEMO_SIZE, DEMO_SIZE, 3], name: 'image'});
  let x = input; // [B, 48, 48, 3]
  const block = (i: number, filters: number, kernelSize: number, {strides = 1, beta = 0} = {}) => {
    const conv = {filters, kernelSize, strides, padding: 'same' as const, useBias: false, name: `conv${i}`};
    const norm = {momentum: 0.9, epsilon: 1e-3, betaInitializer: tfl.initializers.constant({value: beta})};
    x = apply(tfl.layers.conv2d({...conv, ...kernel()}), x);
    x = apply(tfl.layers.batchNormalization({...norm, name: `bn${i}`}), x);
    x = apply(tfl.layers.reLU({name: `relu${i}`}), x);
  };
  const pool = (i: number) => (x = apply(tfl.layers.maxPooling2d({poolSize: 2, name: `pool${i}`}), x));
  block(1, 16, 5, {strides: 2}); // [B, 24, 24, 16]
  block(2, 32, 3);
  pool(2); // [B, 12, 12, 32]
  block(3, 64, 3);
  pool(3); // [B, 6, 6, 64]
  block(4, 96, 3, {beta: SPARSE_BETA}); // [B, 6, 6, 96]
  block(5, 16, 1); // [B, 6, 6, 16]
  x = apply(tfl.layers.globalAveragePooling2d({name: 'mean'}), x); // [B, 16]
  x = apply(tfl.layers.dense({units: DEMO_CLASSES.length, name: 'logits', ...kernel()}), x); // [B, 24]
  return tfl.model({inputs: input, outputs: x, name: 'demo'});
}

function apply(layer: tfl.layers.Layer, x: tfl.SymbolicTensor): tfl.SymbolicTensor {
  return layer.apply(x) as tfl.SymbolicTensor;
}
