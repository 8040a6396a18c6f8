import type {Weight} from '../../../network/graph';
import {plain, weightOf, zeros, type NodeWriter, type WriterContext} from './layer';

const affineConfig = (writer: WriterContext) => ({
  scale: weightOf(writer, 'gamma') !== undefined,
  center: weightOf(writer, 'beta') !== undefined,
  gamma_initializer: zeros,
  beta_initializer: zeros,
});

const batchNorm: NodeWriter = (writer) => {
  const {axis, epsilon} = writer.node.args;
  const config = {
    axis,
    epsilon,
    momentum: 0.99,
    ...affineConfig(writer),
    moving_mean_initializer: zeros,
    moving_variance_initializer: zeros,
  };
  const weights = ['gamma', 'beta', 'moving_mean', 'moving_variance'].flatMap((name) => weightOf(writer, name) ?? []);
  writer.whole('BatchNormalization', config, {weights});
};

const layerNorm: NodeWriter = (writer) => {
  const {axes, epsilon} = writer.node.args;
  const weights = ['gamma', 'beta'].flatMap((name) => weightOf(writer, name) ?? []);
  writer.whole('LayerNormalization', {axis: axes, epsilon, ...affineConfig(writer)}, {weights});
};

/** Numbers of a configuration: tfjs multiplies by a list as well, one number per channel. */
const numbersOf = ({data}: Weight) => (data.length === 1 ? data[0] : [...data]);

const rescaling: NodeWriter = (writer) => {
  const scale = weightOf(writer, 'scale') as Weight;
  const offset = weightOf(writer, 'offset') as Weight;
  // tfjs takes an absent offset for 0 and would drop a list's axis of one channel otherwise.
  writer.whole('Rescaling', {scale: numbersOf(scale), offset: numbersOf(offset)});
};

const merging =
  (className: string): NodeWriter =>
  (writer) =>
    void writer.whole(className, {});

/** tfjs has no subtraction: a + (−b) is the same. */
const subtract: NodeWriter = (writer) => {
  writer.rewritten();
  const [first, second] = writer.inputs;
  const negative = writer.part('Rescaling', {scale: -1, offset: 0}, {inputs: [second], suffix: 'negative'});
  writer.whole('Add', {}, {inputs: [first, negative]});
};

/** A 1×1 convolution, or a dense layer after vectors, that picks channels: exact, since all else is multiplied by 0. */
function pickChannels(
  writer: WriterContext,
  input: string,
  channels: number,
  picked: readonly (number | null)[],
): void {
  const kernel = new Float32Array(channels * picked.length);
  picked.forEach((channel, at) => {
    if (channel !== null) kernel[channel * picked.length + at] = 1;
  });
  const image = writer.shapes[0].length === 3;
  const shape = image ? [1, 1, channels, picked.length] : [channels, picked.length];
  const weights = [{name: 'kernel', shape, data: kernel}];
  const common = {activation: 'linear', use_bias: false, kernel_initializer: zeros};
  if (image) {
    const config = {...plain, filters: picked.length, kernel_size: [1, 1], strides: [1, 1], padding: 'valid'};
    writer.whole('Conv2D', {...config, dilation_rate: [1, 1], ...common}, {inputs: [input], weights});
  } else writer.whole('Dense', {units: picked.length, ...common}, {inputs: [input], weights});
}

const slice: NodeWriter = (writer) => {
  const {axis, start, end, step} = writer.node.args as Record<string, number>;
  const [shape] = writer.shapes;
  writer.rewritten();
  if (axis === shape.length) {
    const picked = Array.from({length: writer.shape[axis - 1]}, (_, at) => start + at * step);
    pickChannels(writer, writer.inputs[0], shape[axis - 1], picked);
    return;
  }
  if (shape.length !== 3) writer.refuse('only channels, rows and columns are sliced');
  const alone = (amounts: [number, number]) => (axis === 1 ? [amounts, [0, 0]] : [[0, 0], amounts]);
  const cropping = {...plain, cropping: alone([start, shape[axis - 1] - end])};
  const cuts = start > 0 || end < shape[axis - 1];
  if (step === 1 && cuts) {
    writer.whole('Cropping2D', cropping);
    return;
  }
  const cropped = cuts ? writer.part('Cropping2D', cropping, {suffix: 'cropped'}) : writer.inputs[0];
  const strides = axis === 1 ? [step, 1] : [1, step];
  writer.whole('MaxPooling2D', {...plain, pool_size: [1, 1], strides, padding: 'valid'}, {inputs: [cropped]});
};

const pad: NodeWriter = (writer) => {
  const {paddings, mode, value} = writer.node.args as {paddings: [number, number][]; mode: string; value: number};
  const [shape] = writer.shapes;
  if (mode !== 'constant') writer.refuse(`padding by "${mode}" is none of its layers`);
  if (shape.length !== 3) writer.refuse('only images are padded');
  const [rows, columns, [before, after]] = paddings;
  const around = [rows, columns];
  if (before === 0 && after === 0 && value === 0) {
    writer.whole('ZeroPadding2D', {...plain, padding: around});
    return;
  }
  writer.rewritten();
  if (before === 0 && after === 0) {
    const [input] = writer.inputs;
    const lowered = writer.part('Rescaling', {scale: 1, offset: -value}, {inputs: [input], suffix: 'lowered'});
    const zeroed = writer.part('ZeroPadding2D', {...plain, padding: around}, {inputs: [lowered], suffix: 'zeros'});
    writer.whole('Rescaling', {scale: 1, offset: value}, {inputs: [zeroed]});
    return;
  }
  if (value !== 0) writer.refuse('channels are padded with zeros only');
  const input = writer.part('ZeroPadding2D', {...plain, padding: around}, {suffix: 'zeros'});
  const channels = shape[2];
  const none = (count: number) => Array.from({length: count}, () => null);
  pickChannels(writer, input, channels, [
    ...none(before),
    ...Array.from({length: channels}, (_, channel) => channel),
    ...none(after),
  ]);
};

const reshape: NodeWriter = (writer) => {
  const target = writer.node.args.shape as number[];
  if (target.length === 1 && target[0] === -1) writer.whole('Flatten', plain);
  else writer.whole('Reshape', {target_shape: target});
};

/** tfjs enlarges by whole factors; its bilinear one aligns corners of pixels (`asymmetric`). */
const resize: NodeWriter = (writer) => {
  const {size, interpolation, coordinates} = writer.node.args as {
    size: [number, number];
    interpolation: string;
    coordinates: string;
  };
  const factors = size.map((target, axis) => target / writer.shapes[0][axis]);
  if (!factors.every(Number.isInteger)) writer.refuse('images are enlarged by whole factors only');
  if (interpolation === 'nearest' ? coordinates === 'align_corners' : coordinates !== 'asymmetric') {
    writer.refuse(`${interpolation} interpolation with "${coordinates}" coordinates is none of its layers`);
  }
  if (interpolation === 'nearest' && coordinates !== 'asymmetric') writer.rewritten();
  writer.whole('UpSampling2D', {...plain, size: factors, interpolation});
};

export const otherWriters: Readonly<Record<string, NodeWriter>> = {
  InputLayer: (writer) =>
    void writer.whole('InputLayer', {
      batch_input_shape: [null, ...(writer.node.args.shape as number[])],
      sparse: false,
    }),
  BatchNormalization: batchNorm,
  LayerNormalization: layerNorm,
  Rescaling: rescaling,
  Add: merging('Add'),
  Multiply: merging('Multiply'),
  Average: merging('Average'),
  Maximum: merging('Maximum'),
  Minimum: merging('Minimum'),
  Subtract: subtract,
  Concatenate: (writer) => void writer.whole('Concatenate', {axis: writer.node.args.axis}),
  Slice: slice,
  Pad: pad,
  Reshape: reshape,
  Permute: (writer) => void writer.whole('Permute', {dims: writer.node.args.order}),
  Resize: resize,
};
