import {InputError} from '../../../common/errors';
import {withActivation} from './activations';
import type {LayerContext, LayerReader} from './layer';

type Pair = [number, number];

/** Height, width and channels of the only input. */
function imageOf(layer: LayerContext): readonly number[] {
  const [shape] = layer.shapes;
  if (shape.length !== 3) {
    throw new InputError(
      `${layer.owner} reads an input of shape [${shape.join(', ')}], and needs [height, width, channels]`,
    );
  }
  return shape;
}

function paddingOf({args}: LayerContext, fallback = 'valid'): string {
  const padding = args.text('padding', fallback).toLowerCase();
  if (padding !== 'same' && padding !== 'valid') throw args.invalid('padding', padding, 'it must be same or valid');
  return padding;
}

/** The arguments of Keras 1 have other names. */
function kernelSizeOf({args}: LayerContext): Pair {
  return args.pair('kernel_size', 1);
}

function window(layer: LayerContext): {strides: Pair; padding: string; dilationRate: Pair} {
  layer.args.channelsLast();
  return {
    strides: layer.args.pair('strides', 1, [1, 1]),
    padding: paddingOf(layer),
    dilationRate: layer.args.pair('dilation_rate', 1, [1, 1]),
  };
}

const biased = (layer: LayerContext, size: number) =>
  layer.args.flag('use_bias', true) ? [{name: 'bias', shape: [size]}] : [];

const conv2d: LayerReader = (layer) => {
  const [, , channels] = imageOf(layer);
  const filters = layer.args.whole('filters', 1);
  const groups = layer.args.whole('groups', 1, 1);
  if (channels % groups !== 0 || filters % groups !== 0) {
    throw layer.args.invalid('groups', groups, `it must divide its ${channels} input and ${filters} output channels`);
  }
  const kernel = {name: 'kernel', shape: [...kernelSizeOf(layer), channels / groups, filters]};
  const args = {...window(layer), groups};
  const weights = layer.weights([kernel, ...biased(layer, filters)]);
  return withActivation(layer, layer.add('Conv2D', args, {weights}));
};

const depthwise: LayerReader = (layer) => {
  const [, , channels] = imageOf(layer);
  const multiplier = layer.args.whole('depth_multiplier', 1, 1);
  // Of the class that it derives from; the channels decide.
  layer.args.ignore('groups', 'filters');
  const shape = [...kernelSizeOf(layer), channels, multiplier];
  const args = window(layer);
  const stored = layer.weights([
    {name: 'depthwise_kernel', aliases: ['kernel'], shape},
    ...biased(layer, channels * multiplier),
  ]);
  const weights = stored.map((weight) => (weight.name === 'depthwise_kernel' ? {...weight, name: 'kernel'} : weight));
  return withActivation(layer, layer.add('DepthwiseConv2D', args, {weights}));
};

/** A depthwise convolution `<layer>_depthwise`, then a 1×1 convolution that has the layer's name and can be analysed. */
const separable: LayerReader = (layer) => {
  const [, , channels] = imageOf(layer);
  const filters = layer.args.whole('filters', 1);
  const multiplier = layer.args.whole('depth_multiplier', 1, 1);
  layer.args.only('groups', [1], 'only 1 is read');
  const args = window(layer);
  const [depthwiseKernel, pointwise, ...bias] = layer.weights([
    {name: 'depthwise_kernel', shape: [...kernelSizeOf(layer), channels, multiplier]},
    {name: 'pointwise_kernel', shape: [1, 1, channels * multiplier, filters]},
    ...biased(layer, filters),
  ]);
  const inner = layer.add('DepthwiseConv2D', args, {
    name: layer.fresh(`${layer.name}_depthwise`),
    weights: [{...depthwiseKernel, name: 'kernel'}],
    mark: {kind: 'generated', of: layer.name},
  });
  const outer = layer.add(
    'Conv2D',
    {strides: [1, 1], padding: 'valid', dilationRate: [1, 1], groups: 1},
    {inputs: [inner], weights: [{...pointwise, name: 'kernel'}, ...bias]},
  );
  return withActivation(layer, outer);
};

const transposed: LayerReader = (layer) => {
  const [, , channels] = imageOf(layer);
  const filters = layer.args.whole('filters', 1);
  layer.args.only('groups', [1], 'only 1 is read');
  layer.args.only('output_padding', [], 'only the usual output size is read; leave output_padding out');
  const args = {...window(layer), outputPadding: [0, 0]};
  const weights = layer.weights([
    {name: 'kernel', shape: [...kernelSizeOf(layer), filters, channels]},
    ...biased(layer, filters),
  ]);
  return withActivation(layer, layer.add('Conv2DTranspose', args, {weights}));
};

const dense: LayerReader = (layer) => {
  const units = layer.args.whole('units', 1);
  const channels = layer.shapes[0].at(-1);
  if (channels === undefined) throw new InputError(`${layer.owner} reads an input without axes`);
  const weights = layer.weights([{name: 'kernel', shape: [channels, units]}, ...biased(layer, units)]);
  return withActivation(layer, layer.add('Dense', {}, {weights}));
};

const pooling =
  (operator: string, more: Record<string, unknown>): LayerReader =>
  (layer) => {
    layer.args.channelsLast();
    const poolSize = layer.args.pair('pool_size', 1, [2, 2]);
    const strides = layer.args.pair('strides', 1, poolSize);
    return layer.add(operator, {poolSize, strides, padding: paddingOf(layer), ...more});
  };

const globalPooling =
  (operator: string): LayerReader =>
  (layer) => {
    layer.args.channelsLast();
    return layer.add(operator, {keepdims: layer.args.flag('keepdims', false)});
  };

const maxPooling = pooling('MaxPooling2D', {ceilMode: false, dilationRate: [1, 1]});
const averagePooling = pooling('AveragePooling2D', {countPadding: false, ceilMode: false});
const globalAverage = globalPooling('GlobalAveragePooling2D');
const globalMax = globalPooling('GlobalMaxPooling2D');

export const convolutionLayers: Record<string, LayerReader> = {
  Conv2D: conv2d,
  Convolution2D: conv2d,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  SeparableConvolution2D: separable,
  Conv2DTranspose: transposed,
  Convolution2DTranspose: transposed,
  Dense: dense,
  MaxPooling2D: maxPooling,
  MaxPool2D: maxPooling,
  AveragePooling2D: averagePooling,
  AvgPool2D: averagePooling,
  GlobalAveragePooling2D: globalAverage,
  GlobalAvgPool2D: globalAverage,
  GlobalMaxPooling2D: globalMax,
  GlobalMaxPool2D: globalMax,
};
