import {
  activationInput,
  emit,
  integer,
  integers,
  refuse,
  knownInput,
  weight,
  weightInput,
  words,
  type Call,
  type Reader,
} from '../call';
import {transposed, type Constant} from '../tensors';
import {arranged, CHANNELS_LAST, permuted, settled, type Activation} from '../values';

export type Sides = [[number, number], [number, number]];

/** An input with channels last. @throws InputError where it is no batch of images */
export function imageInput(call: Call): Activation {
  const value = activationInput(call);
  if (value.shape.length !== 4) {
    throw refuse(
      call,
      `its input has shape [${value.shape.join(', ')}]; only images [batch, channels, height, width] are supported`,
    );
  }
  return arranged(call.graph, value, CHANNELS_LAST);
}

/** Padding as our nodes have it, from `auto_pad` and `pads`; a window of stride 1 that keeps the size is `same`. */
export function paddingOf(
  call: Call,
  {shape}: Activation,
  size: readonly number[],
  strides: readonly number[],
  dilation: readonly number[],
): 'same' | 'valid' | Sides {
  const automatic = words(call, 'auto_pad', 'NOTSET');
  const reach = size.map((length, axis) => (length - 1) * dilation[axis] + 1);
  if (automatic === 'VALID') return 'valid';
  if (automatic === 'SAME_UPPER') return 'same';
  if (automatic === 'SAME_LOWER') {
    return [0, 1].map((axis) => {
      const length = shape[axis + 2];
      const total = Math.max((Math.ceil(length / strides[axis]) - 1) * strides[axis] + reach[axis] - length, 0);
      return [Math.ceil(total / 2), Math.floor(total / 2)];
    }) as Sides;
  }
  const [top, left, bottom, right] = integers(call, 'pads') ?? [0, 0, 0, 0];
  if ([top, left, bottom, right].some((amount) => amount < 0)) throw refuse(call, 'negative padding is not supported');
  if (top + left + bottom + right === 0) return 'valid';
  const sides: Sides = [
    [top, bottom],
    [left, right],
  ];
  const keepsSize = sides.every(
    ([before, after], axis) =>
      strides[axis] === 1 && before === Math.floor((reach[axis] - 1) / 2) && after === Math.ceil((reach[axis] - 1) / 2),
  );
  return keepsSize ? 'same' : sides;
}

/** Two sizes from an attribute. */
export function pairOf(call: Call, name: string, fallback = 1): [number, number] {
  const [a, b] = integers(call, name) ?? [fallback, fallback];
  return [a, b];
}

function kernelInput(call: Call): Constant {
  const kernel = weightInput(call, 1);
  if (kernel.shape.length !== 4) {
    throw refuse(
      call,
      `its kernel has shape [${kernel.shape.join(', ')}]; only convolutions over height and width are supported`,
    );
  }
  return kernel;
}

function biasWeights(call: Call) {
  const bias = knownInput(call, 2);
  return bias ? [weight('bias', [bias.data.length], bias.data)] : [];
}

export const conv: Reader = (call) => {
  const kernel = kernelInput(call);
  const input = imageInput(call);
  const [, inputs, height, width] = kernel.shape;
  const [strides, dilationRate] = [pairOf(call, 'strides'), pairOf(call, 'dilations')];
  const groups = integer(call, 'group', 1);
  const padding = paddingOf(call, input, [height, width], strides, dilationRate);
  const turned = transposed(kernel.data, kernel.shape, [2, 3, 1, 0]); // [kh, kw, Cin/groups, Cout]
  if (inputs === 1 && groups > 1 && groups === input.shape[1]) {
    const shape = [height, width, groups, kernel.shape[0] / groups];
    const weights = [weight('kernel', shape, turned.data), ...biasWeights(call)];
    return emit(call, 'DepthwiseConv2D', {strides, padding, dilationRate}, input, weights);
  }
  const weights = [weight('kernel', turned.shape, turned.data), ...biasWeights(call)];
  return emit(call, 'Conv2D', {strides, padding, dilationRate, groups}, input, weights);
};

export const convTranspose: Reader = (call) => {
  const kernel = kernelInput(call); // [Cin, Cout, kh, kw]
  const input = imageInput(call);
  if (integer(call, 'group', 1) !== 1) throw refuse(call, 'a transposed convolution in groups is not supported');
  if (integers(call, 'output_shape'))
    throw refuse(call, 'output_shape is not supported; export it with pads and output_padding');
  const [strides, dilationRate] = [pairOf(call, 'strides'), pairOf(call, 'dilations')];
  const automatic = words(call, 'auto_pad', 'NOTSET');
  const [top, left, bottom, right] = integers(call, 'pads') ?? [0, 0, 0, 0];
  const sides: Sides = [
    [top, bottom],
    [left, right],
  ];
  const outputPadding = pairOf(call, 'output_padding', 0);
  const turned = transposed(kernel.data, kernel.shape, [2, 3, 1, 0]); // [kh, kw, Cout, Cin]
  if (automatic !== 'NOTSET' && automatic !== 'VALID')
    throw refuse(call, `auto_pad ${automatic} is not supported; export it with pads`);
  const weights = [weight('kernel', turned.shape, turned.data), ...biasWeights(call)];
  return emit(call, 'Conv2DTranspose', {strides, padding: sides, dilationRate, outputPadding}, input, weights);
};

/** y = x W + b over the last axis as the file counts it. */
export function dense(call: Call, given: Activation, kernel: Constant, bias?: Constant): Activation {
  const value = settled(call.graph, given);
  const last = value.shape.length - 1;
  if (kernel.shape[0] !== value.shape[last]) {
    throw refuse(call, `its kernel has shape [${kernel.shape.join(', ')}], and its input [${value.shape.join(', ')}]`);
  }
  const input = arranged(call.graph, value, [...value.axes.filter((axis) => axis !== last), last]);
  const units = kernel.shape[1];
  const bent = bias && (bias.data.length === 1 ? new Float32Array(units).fill(bias.data[0]) : bias.data);
  const weights = [weight('kernel', kernel.shape, kernel.data), ...(bent ? [weight('bias', [units], bent)] : [])];
  return emit(call, 'Dense', {}, input, weights);
}

/** A constant whose axes the file wants exchanged. */
function turnedIf(turn: boolean, a: Constant): Constant {
  return turn ? {...a, ...transposed(a.data, a.shape, [1, 0])} : a;
}

const scaledBy = (a: Constant, factor: number): Constant =>
  factor === 1 ? a : {...a, data: Float32Array.from(a.data, (x) => x * factor)};

export const gemm: Reader = (call) => {
  const [alpha, beta] = ['alpha', 'beta'].map((name) => call.node.attribute.find((one) => one.name === name)?.f ?? 1);
  if (integer(call, 'transA', 0) !== 0)
    throw refuse(call, 'transA 1 would mix the batch with features, which is not supported');
  const [, b, c] = call.inputs;
  if (b?.kind !== 'constant') {
    const factor = integer(call, 'transB', 0) === 1 && b ? permuted(call.graph, b, [1, 0]) : b;
    const product = call.run('MatMul', [call.inputs[0], factor]);
    return c ? call.run('Add', [product[0], c]) : product;
  }
  if (c?.kind === 'activation') throw refuse(call, 'its bias depends on the image, which is not supported');
  const kernel = scaledBy(turnedIf(integer(call, 'transB', 0) === 1, b), alpha);
  return dense(call, activationInput(call), kernel, c && scaledBy(c, beta));
};

export const matMul: Reader = (call) => {
  const [a, b] = call.inputs;
  if (a?.kind === 'activation' && b?.kind === 'constant' && b.shape.length === 2) return dense(call, a, b);
  if (a?.kind === 'constant' && b?.kind === 'activation' && a.shape.length === 2) {
    // W x = (xᵀ Wᵀ)ᵀ over the last two axes.
    const rank = b.shape.length;
    const turn = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return permuted(call.graph, dense(call, permuted(call.graph, b, turn), turnedIf(true, a)), turn);
  }
  if (a?.kind !== 'activation' || b?.kind !== 'activation' || a.shape.length !== b.shape.length) {
    throw refuse(call, 'a product of these shapes is not supported');
  }
  const order = a.shape.map((_, axis) => axis);
  const [left, right] = [arranged(call.graph, a, order), arranged(call.graph, b, order)];
  const node = call.graph.add('MatMul', call.name, {
    args: {transposeA: false, transposeB: false},
    inputs: [left.node, right.node],
  });
  return {kind: 'activation', node, shape: [left.shape[0], ...call.graph.shapeOf(node)], axes: order};
};
