/** Arbitrary convolutions and poolings. */
import fc from 'fast-check';
import {array, imageInput, int, made, padding, pair, sides, some, type OperatorCase} from './operatorParts';

export const convolution = fc
  .record({
    batch: int(1, 2),
    image: pair(1, 8),
    groups: int(1, 3),
    inner: int(1, 3),
    outer: int(1, 3),
    kernel: pair(1, 3),
    strides: pair(1, 3),
    dilationRate: pair(1, 2),
    padding: padding(2),
    bias: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({batch, image, groups, inner, outer, kernel, bias, seed, ...args}): OperatorCase => {
    const weights = [
      array('kernel', [...kernel, inner, groups * outer], seed),
      ...some(bias, array('bias', [groups * outer], seed + 1)),
    ];
    return {node: made('Conv2D', {...args, groups}, 1, weights), inputs: [[batch, ...image, groups * inner]]};
  });

export const depthwise = fc
  .record({
    batch: int(1, 2),
    image: pair(1, 8),
    channels: int(1, 4),
    multiplier: int(1, 2),
    kernel: pair(1, 3),
    strides: pair(1, 3),
    dilationRate: pair(1, 2),
    padding: padding(2),
    bias: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({batch, image, channels, multiplier, kernel, bias, seed, ...args}): OperatorCase => {
    const weights = [
      array('kernel', [...kernel, channels, multiplier], seed),
      ...some(bias, array('bias', [channels * multiplier], seed + 1)),
    ];
    return {node: made('DepthwiseConv2D', args, 1, weights), inputs: [[batch, ...image, channels]]};
  });

export const transposed = fc
  .record({
    batch: int(1, 2),
    image: pair(1, 5),
    inner: int(1, 3),
    outer: int(1, 3),
    kernel: pair(1, 4),
    strides: pair(1, 3),
    dilationRate: pair(1, 2),
    padding: padding(1),
    outputPadding: pair(0, 1),
    bias: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({batch, image, inner, outer, kernel, bias, seed, ...args}): OperatorCase => {
    const weights = [array('kernel', [...kernel, outer, inner], seed), ...some(bias, array('bias', [outer], seed + 1))];
    return {node: made('Conv2DTranspose', args, 1, weights), inputs: [[batch, ...image, inner]]};
  });

export const pooling = (operator: 'MaxPooling2D' | 'AveragePooling2D') =>
  fc
    .record({
      input: imageInput,
      poolSize: pair(1, 3),
      strides: pair(1, 3),
      // Padding of up to half of the window, as frameworks demand.
      padding: fc.oneof(fc.constant('same' as const), fc.constant('valid' as const), sides(1)),
      ceilMode: fc.boolean(),
      flag: fc.boolean(),
      dilationRate: pair(1, 2),
    })
    .filter(({poolSize, padding}) => typeof padding === 'string' || poolSize.every((size) => size > 1))
    .map(({input: {batch, image, channels}, flag, dilationRate, ...args}): OperatorCase => {
      const own = operator === 'MaxPooling2D' ? {dilationRate: flag ? dilationRate : [1, 1]} : {countPadding: flag};
      return {node: made(operator, {...args, ...own}), inputs: [[batch, ...image, channels]]};
    });
