import type {Weight} from '../../../network/graph';
import {axisWindows, imageWindows, type AxisWindows, type Padding, type Pair} from '../../../network/operators';
import {plain, weightOf, zeros, type NodeWriter, type WriterContext} from './layer';

type Amounts = [Pair, Pair];

/** Where the windows of a convolution or a pooling stand on its image. */
function windowsOf({node, shapes}: WriterContext, size: Pair): [AxisWindows, AxisWindows] {
  const {
    strides,
    dilationRate = [1, 1],
    padding,
    ceilMode,
  } = node.args as {
    strides: Pair;
    dilationRate?: Pair;
    padding: Padding;
    ceilMode?: boolean;
  };
  const [height, width] = shapes[0];
  return imageWindows([height, width], {size, strides, dilation: dilationRate, padding, ceilMode});
}

const amountsOf = ([rows, columns]: [AxisWindows, AxisWindows]): Amounts => [
  [rows.before, rows.after],
  [columns.before, columns.after],
];
const isZero = (amounts: Amounts) => amounts.flat().every((amount) => amount === 0);

/** Zeros around the image as a layer of their own; the input itself where there are none. */
function padded(writer: WriterContext, amounts: Amounts): string {
  if (isZero(amounts)) return writer.inputs[0];
  return writer.part('ZeroPadding2D', {...plain, padding: amounts}, {suffix: 'padding'});
}

/** The input, and the padding that tfjs is to use with it: explicit amounts become a layer. */
function paddingOf(writer: WriterContext, size: Pair): {inputs: string[]; padding: 'same' | 'valid'} {
  const {padding} = writer.node.args;
  if (padding === 'same' || padding === 'valid') return {inputs: [writer.inputs[0]], padding};
  writer.rewritten();
  return {inputs: [padded(writer, amountsOf(windowsOf(writer, size)))], padding: 'valid'};
}

const biasConfig = (bias: Weight | undefined) => ({use_bias: bias !== undefined, bias_initializer: zeros});
const sizeOf = (kernel: Weight): Pair => [kernel.shape[0], kernel.shape[1]];
const own = (weight: Weight, layer: string, name = weight.name) =>
  ({name: weight.name, shape: weight.shape, layer, weight: name, form: 'same'}) as const;

const conv2d: NodeWriter = (writer) => {
  const {node, layerName} = writer;
  const kernel = weightOf(writer, 'kernel') as Weight;
  const bias = weightOf(writer, 'bias');
  const {strides, dilationRate, groups} = node.args as {strides: Pair; dilationRate: Pair; groups: number};
  const full = groups > 1 ? blockDiagonal(kernel, groups) : kernel;
  const config = {
    ...plain,
    filters: kernel.shape[3],
    kernel_size: sizeOf(kernel),
    dilation_rate: dilationRate,
    activation: 'linear',
    kernel_initializer: zeros,
    ...biasConfig(bias),
  };
  const weights = [full, ...(bias ? [bias] : [])];
  // tfjs runs no convolution with both: every n-th position of the dilated one is picked by a pooling of single pixels.
  const both = Math.max(...strides) > 1 && Math.max(...dilationRate) > 1;
  let convolution = layerName;
  if (both) {
    writer.rewritten();
    const input = padded(writer, amountsOf(windowsOf(writer, sizeOf(kernel))));
    convolution = writer.part(
      'Conv2D',
      {...config, strides: [1, 1], padding: 'valid'},
      {inputs: [input], weights, suffix: 'dilated'},
    );
    writer.whole('MaxPooling2D', {...plain, pool_size: [1, 1], strides, padding: 'valid'}, {inputs: [convolution]});
  } else {
    const {inputs, padding} = paddingOf(writer, sizeOf(kernel));
    writer.whole('Conv2D', {...config, strides, padding}, {inputs, weights});
  }
  if (groups > 1) {
    writer.rewritten();
    writer.note(`the ${groups} groups of "${node.name}" are written as the blocks of one larger kernel`);
  }
  writer.store({...own(kernel, convolution), form: groups > 1 ? 'blocks' : 'same'});
  if (bias) writer.store(own(bias, convolution));
};

/** [kh, kw, Cin/groups, Cout] → [kh, kw, Cin, Cout] with zeros between the groups. */
export function blockDiagonal({name, shape, data}: Weight, groups: number): Weight {
  const [height, width, inputs, outputs] = shape;
  const full = new Float32Array(height * width * inputs * groups * outputs);
  const each = outputs / groups;
  for (let tap = 0; tap < height * width; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        const group = Math.floor(o / each);
        full[(tap * inputs * groups + group * inputs + i) * outputs + o] = data[(tap * inputs + i) * outputs + o];
      }
    }
  }
  return {name, shape: [height, width, inputs * groups, outputs], data: full};
}

/** tfjs ignores the dilation of a depthwise convolution: zeros between the kernel's taps do the same. */
const depthwise: NodeWriter = (writer) => {
  const {node, layerName} = writer;
  const kernel = weightOf(writer, 'kernel') as Weight;
  const bias = weightOf(writer, 'bias');
  const {strides, dilationRate} = node.args as {strides: Pair; dilationRate: Pair};
  const dilated = Math.max(...dilationRate) > 1;
  if (dilated) writer.rewritten();
  const stored = dilated ? spread(kernel, dilationRate) : kernel;
  const {inputs, padding} = paddingOf(writer, sizeOf(kernel));
  const config = {
    ...plain,
    kernel_size: sizeOf(stored),
    strides,
    padding,
    dilation_rate: [1, 1],
    depth_multiplier: kernel.shape[3],
    activation: 'linear',
    depthwise_initializer: zeros,
    ...biasConfig(bias),
  };
  const weights = [{...stored, name: 'depthwise_kernel'}, ...(bias ? [bias] : [])];
  writer.whole('DepthwiseConv2D', config, {inputs, weights});
  writer.store({...own(kernel, layerName), form: dilated ? 'spread' : 'same'});
  if (bias) writer.store(own(bias, layerName));
};

/** A kernel with dilation − 1 zeros between its taps. */
export function spread({name, shape, data}: Weight, dilation: Pair): Weight {
  const [height, width, ...rest] = shape;
  const size = rest.reduce((product, length) => product * length, 1);
  const [tall, wide] = [(height - 1) * dilation[0] + 1, (width - 1) * dilation[1] + 1];
  const full = new Float32Array(tall * wide * size);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * size;
      full.set(data.subarray(from, from + size), (row * dilation[0] * wide + column * dilation[1]) * size);
    }
  }
  return {name, shape: [tall, wide, ...rest], data: full};
}

const transposed: NodeWriter = (writer) => {
  const {node, layerName, shapes, shape} = writer;
  const kernel = weightOf(writer, 'kernel') as Weight;
  const bias = weightOf(writer, 'bias');
  const {strides, dilationRate, outputPadding, padding} = node.args as Record<string, Pair> & {padding: Padding};
  if (Math.max(...dilationRate) > 1) writer.refuse('a dilated transposed convolution is none of its layers');
  if (Math.max(...outputPadding) > 0) writer.refuse('it has no output padding');
  const config = {
    ...plain,
    filters: kernel.shape[2],
    kernel_size: sizeOf(kernel),
    strides,
    activation: 'linear',
    kernel_initializer: zeros,
    ...biasConfig(bias),
  };
  const weights = [kernel, ...(bias ? [bias] : [])];
  const stored = (layer: string) =>
    [kernel, ...(bias ? [bias] : [])].forEach((weight) => writer.store(own(weight, layer)));
  if (typeof padding === 'string') {
    writer.whole('Conv2DTranspose', {...config, padding}, {weights});
    return stored(layerName);
  }
  // Explicit amounts are cut off the full output.
  writer.rewritten();
  const full = writer.part('Conv2DTranspose', {...config, padding: 'valid'}, {weights, suffix: 'full'});
  const cropping = [0, 1].map((axis) => {
    const size = Math.max((shapes[0][axis] - 1) * strides[axis] + kernel.shape[axis], shapes[0][axis] * strides[axis]);
    const before = padding[axis][0];
    return [before, size - before - shape[axis]];
  });
  if (cropping.flat().some((amount) => amount < 0)) writer.refuse('its output is larger than the full one');
  writer.whole('Cropping2D', {...plain, cropping}, {inputs: [full]});
  stored(full);
};

const dense: NodeWriter = (writer) => {
  const kernel = weightOf(writer, 'kernel') as Weight;
  const bias = weightOf(writer, 'bias');
  writer.whole(
    'Dense',
    {units: kernel.shape[1], activation: 'linear', kernel_initializer: zeros, ...biasConfig(bias)},
    {weights: [kernel, ...(bias ? [bias] : [])]},
  );
};

const ADVICE_MAX = 'its padding is −∞, and its input may be below 0, where zeros are not the same';

const maxPooling: NodeWriter = (writer) => {
  const {poolSize, strides, padding, ceilMode, dilationRate} = writer.node.args as Record<string, Pair>;
  if (Math.max(...dilationRate) > 1) writer.refuse('a dilated pooling is none of its layers');
  const config = {...plain, pool_size: poolSize, strides};
  const places = windowsOf(writer, poolSize);
  const named = typeof padding === 'string' && (!ceilMode || !overhangs(places) || padding === 'same');
  if (named) {
    if (ceilMode) writer.rewritten();
    writer.whole('MaxPooling2D', {...config, padding});
    return;
  }
  const amounts = amountsOf(places);
  if (!isZero(amounts) && !writer.nonNegative) writer.refuse(ADVICE_MAX);
  writer.rewritten();
  writer.whole('MaxPooling2D', {...config, padding: 'valid'}, {inputs: [padded(writer, amounts)]});
};

const overhangs = (places: [AxisWindows, AxisWindows]) => places.some(({after, asked}) => after > asked);

/** tfjs counts no padding: zeros that count are a layer of their own; zeros that do not count are only those of `same`. */
const averagePooling: NodeWriter = (writer) => {
  const {poolSize, strides, padding, ceilMode, countPadding} = writer.node.args as Record<string, Pair> & {
    countPadding: boolean;
  };
  const config = {...plain, pool_size: poolSize, strides};
  const places = windowsOf(writer, poolSize);
  const named = typeof padding === 'string' && !(padding === 'same' && countPadding);
  if (named && (!ceilMode || padding === 'same' || !overhangs(places))) {
    if (ceilMode || (countPadding && padding === 'valid')) writer.rewritten();
    writer.whole('AveragePooling2D', {...config, padding});
    return;
  }
  writer.rewritten();
  if (overhangs(places)) writer.refuse('its last windows stand over the edge (ceil mode)');
  const amounts = amountsOf(places);
  if (!isZero(amounts) && !countPadding) {
    const same = [0, 1].every((axis) => {
      const {output, before, after} = axisWindows(writer.shapes[0][axis], poolSize[axis], strides[axis], 1, 'same');
      return output === places[axis].output && before === amounts[axis][0] && after === amounts[axis][1];
    });
    if (!same) writer.refuse('its padding is not counted');
    writer.whole('AveragePooling2D', {...config, padding: 'same'});
    return;
  }
  writer.whole('AveragePooling2D', {...config, padding: 'valid'}, {inputs: [padded(writer, amounts)]});
};

/** tfjs has no `keepdims`. */
const globalPooling =
  (className: string): NodeWriter =>
  (writer) => {
    if (writer.node.args.keepdims !== true) {
      writer.whole(className, plain);
      return;
    }
    writer.rewritten();
    const pooled = writer.part(className, plain, {suffix: 'pooled'});
    writer.whole('Reshape', {target_shape: writer.shape}, {inputs: [pooled]});
  };

/** Over height and width a reduction is a global pooling. */
const reduction =
  (className: string): NodeWriter =>
  (writer) => {
    const axes = writer.node.args.axes as number[];
    if (writer.shapes[0].length !== 3 || [...axes].sort().join() !== '1,2') {
      writer.refuse('only a reduction over height and width is one of its layers');
    }
    writer.rewritten();
    globalPooling(className)(writer);
  };

export const convolutionWriters: Readonly<Record<string, NodeWriter>> = {
  Conv2D: conv2d,
  DepthwiseConv2D: depthwise,
  Conv2DTranspose: transposed,
  Dense: dense,
  MaxPooling2D: maxPooling,
  AveragePooling2D: averagePooling,
  GlobalAveragePooling2D: globalPooling('GlobalAveragePooling2D'),
  GlobalMaxPooling2D: globalPooling('GlobalMaxPooling2D'),
  Mean: reduction('GlobalAveragePooling2D'),
  Max: reduction('GlobalMaxPooling2D'),
};
