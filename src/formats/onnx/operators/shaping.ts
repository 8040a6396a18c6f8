import {
  activationInput,
  emit,
  fileShape,
  integer,
  integers,
  knownInput,
  listed,
  number,
  positive,
  refuse,
  weight,
  words,
  type Call,
  type Reader,
} from '../call';
import {expanded} from '../constants';
import {slices, splitSizes, squeezedShape, targetShape, unsqueezedShape} from '../shapes';
import {constant, float32, transposed, type Constant} from '../tensors';
import {
  activation,
  arranged,
  broadcastShape,
  nodeAxis,
  permuted,
  reshaped,
  settled,
  sizeOf,
  withoutAxis,
  type Activation,
  type Value,
} from '../values';

/** An input that depends on the image, its reshape still pending. */
function pending(call: Call): Activation {
  const [value] = call.inputs;
  return value?.kind === 'activation' ? value : activationInput(call);
}

export const reshape: Reader = (call) => reshaped(pending(call), targetShape(call, pending(call).shape));
export const unsqueeze: Reader = (call) => reshaped(pending(call), unsqueezedShape(call, pending(call).shape));
export const squeeze: Reader = (call) => {
  const value = pending(call);
  const shape = squeezedShape(call, value.shape);
  if (!value.base && value.axes[0] !== 0) {
    const axes = (listed(call, 1, 'axes') ?? []).map((axis) => positive(call, axis, value.shape.length));
    return axes.sort((a, b) => b - a).reduce((rest, axis) => withoutAxis(call.graph, rest, axis), value);
  }
  // Without axes it would also take a batch of one, which is then put back by nobody.
  const keepsBatch = integers(call, 'axes') ?? knownInput(call, 1);
  return reshaped(value, keepsBatch || value.shape[0] !== 1 ? shape : [1, ...shape]);
};

export const flatten: Reader = (call) => {
  const value = pending(call);
  const axis = integer(call, 'axis', 1);
  const at = axis < 0 ? axis + value.shape.length : axis;
  return reshaped(value, [sizeOf(value.shape.slice(0, at)), sizeOf(value.shape.slice(at))]);
};

export const transpose: Reader = (call) => {
  const value = activationInput(call);
  const rank = value.shape.length;
  const order = integers(call, 'perm') ?? value.shape.map((_, axis) => rank - 1 - axis);
  return permuted(
    call.graph,
    value,
    order.map((axis) => positive(call, axis, rank)),
  );
};

/** Axis of the node's output; never the batch. */
function movableAxis(call: Call, value: Activation, axis: number): number {
  const at = nodeAxis(value, positive(call, axis, value.shape.length));
  if (at < 1) throw refuse(call, 'it works along the batch axis, which is not supported');
  return at;
}

export const concat: Reader = (call) => {
  if (call.inputs.length === 1) return call.inputs[0] as Value;
  const like = call.inputs.find((value) => value?.kind === 'activation');
  const first = settled(call.graph, like as Activation);
  const at = movableAxis(call, first, integer(call, 'axis', 0));
  const inputs = call.inputs.map((value) => {
    if (value?.kind !== 'constant') return arranged(call.graph, value as Activation, first.axes).node;
    return held(call, first, value);
  });
  const node = call.graph.add('Concatenate', call.name, {args: {axis: at}, inputs});
  return activation(node, fileShape(call.graph.shapeOf(node), first), first.axes);
};

/** A node for a known array that stands beside a value: [1, …] in the file, the same for every image. */
function held(call: Call, like: Activation, array: Constant): string {
  if (array.shape.length !== like.shape.length || array.shape[like.axes[0]] !== like.shape[like.axes[0]]) {
    throw refuse(call, `a known array of shape [${array.shape.join(', ')}] does not fit [${like.shape.join(', ')}]`);
  }
  const one = sizeOf(array.shape) / array.shape[0];
  const turned = transposed(array.data.slice(0, one), [1, ...array.shape.slice(1)], like.axes);
  return call.graph.add('Constant', `${call.name}_constant`, {
    weights: [weight('value', turned.shape.slice(1), float32(turned.data))],
    mark: {kind: 'generated', of: call.name},
  });
}

/** Part of a value along an axis as the file counts it. */
function part(
  call: Call,
  value: Activation,
  axis: number,
  start: number,
  end: number,
  step = 1,
  name = call.name,
): Activation {
  const at = nodeAxis(value, axis);
  if (start === 0 && end === value.shape[axis] && step === 1) return value;
  if (at < 1) throw refuse(call, 'it takes a part of the batch, which is not supported');
  const node = call.graph.add('Slice', name, {args: {axis: at, start, end, step}, inputs: [value.node]});
  return activation(node, fileShape(call.graph.shapeOf(node), value), value.axes);
}

export const slice: Reader = (call) =>
  slices(call, activationInput(call).shape).reduce((value, {axis, first, count, step}) => {
    if (step < 1) throw refuse(call, `step ${step} is not supported; steps from 1 are`);
    if (count === 0) throw refuse(call, 'it takes nothing');
    return part(call, value, axis, first, Math.min(first + count * step, value.shape[axis]), step);
  }, activationInput(call));

export const split: Reader = (call) => {
  const value = activationInput(call);
  const axis = positive(call, integer(call, 'axis', 0), value.shape.length);
  let start = 0;
  return splitSizes(call, value.shape[axis]).map((size, n) => {
    start += size;
    return part(call, value, axis, start - size, start, 1, `${call.name}.${n}`);
  });
};

/** Entries of an axis by number: runs of them become slices that are joined again. */
export const gather: Reader = (call) => {
  const [given, indices] = call.inputs as Value[];
  if (given.kind !== 'activation' || indices.kind !== 'constant')
    throw refuse(call, 'it picks by numbers that depend on the image');
  const axis = positive(call, integer(call, 'axis', 0), given.shape.length);
  const length = given.shape[axis];
  const positions = [...indices.data].map((position) => positive(call, position, length));
  // PyTorch's `as_strided` on a tensor that is laid out plainly: everything, in order, in another shape.
  if (
    given.shape.length === 1 &&
    given.base &&
    positions.length === length &&
    positions.every((position, at) => position === at)
  ) {
    return reshaped(given, indices.shape);
  }
  const value = settled(call.graph, given);
  const runs: [number, number][] = [];
  for (const position of positions) {
    const run = runs.at(-1);
    if (run?.[1] === position) run[1]++;
    else runs.push([position, position + 1]);
  }
  if (runs.length > 256)
    throw refuse(call, `it reorders an axis into ${runs.length} pieces; at most 256 are supported`);
  const parts = runs.map(([start, end]) => part(call, value, axis, start, end));
  let picked = parts[0];
  if (parts.length > 1) {
    const node = call.graph.add('Concatenate', call.name, {
      args: {axis: movableAxis(call, value, axis)},
      inputs: parts.map((one) => one.node),
    });
    picked = activation(node, fileShape(call.graph.shapeOf(node), value), value.axes);
  }
  if (indices.shape.length === 0) return withoutAxis(call.graph, picked, axis);
  return reshaped(picked, given.shape.toSpliced(axis, 1, ...indices.shape));
};

export const expand: Reader = (call) => {
  const value = activationInput(call);
  const wanted = listed(call, 1, 'shape') ?? [];
  const shape = broadcastShape(value.shape, wanted);
  if (shape.every((size, axis) => size === value.shape[axis])) return value;
  return call.run('Mul', [value, expanded(constant([], [1], 'float'), [1, ...shape.slice(1)])])[0];
};

/** Amounts are attributes before operator set 11, then inputs. */
export const pad: Reader = (call) => {
  const value = activationInput(call);
  const rank = value.shape.length;
  const amounts = (call.opset < 11 ? integers(call, 'pads') : listed(call, 1, 'pads')) ?? [];
  const axes = knownInput(call, 3)?.data ?? value.shape.map((_, axis) => axis);
  const mode = words(call, 'mode', 'constant');
  if (!['constant', 'reflect', 'edge'].includes(mode))
    throw refuse(call, `mode ${mode} is not supported; constant, reflect and edge are`);
  const sides = value.shape.map(() => [0, 0]);
  [...axes].forEach((axis, at) => {
    sides[positive(call, axis, rank)] = [amounts[at], amounts[at + axes.length]];
  });
  if (sides.flat().every((amount) => amount === 0)) return value;
  const cropped = sides.reduce(
    (inside, [before, after], axis) =>
      before < 0 || after < 0
        ? part(call, inside, axis, Math.max(-before, 0), inside.shape[axis] - Math.max(-after, 0))
        : inside,
    value,
  );
  const paddings = cropped.axes.map((axis) => sides[axis].map((amount) => Math.max(amount, 0)));
  if (paddings[0].some((amount) => amount > 0)) throw refuse(call, 'it pads the batch axis');
  if (paddings.flat().every((amount) => amount === 0)) return cropped;
  const filling = call.opset < 11 ? number(call, 'value', 0) : (knownInput(call, 2)?.data[0] ?? 0);
  return emit(call, 'Pad', {paddings: paddings.slice(1), mode, value: filling}, cropped);
};

export const depthToSpace: Reader = (call) => {
  const value = activationInput(call);
  const [batch, channels, height, width] = value.shape;
  const block = integer(call, 'blocksize', 1);
  const depth = channels / (block * block);
  const columnsFirst = words(call, 'mode', 'DCR') === 'DCR';
  const shape = columnsFirst
    ? [batch, block, block, depth, height, width]
    : [batch, depth, block, block, height, width];
  const turned = permuted(call.graph, reshaped(value, shape), columnsFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]);
  return reshaped(turned, [batch, depth, height * block, width * block]);
};

export const spaceToDepth: Reader = (call) => {
  const value = activationInput(call);
  const [batch, channels, height, width] = value.shape;
  const block = integer(call, 'blocksize', 1);
  const parts = reshaped(value, [batch, channels, height / block, block, width / block, block]);
  const turned = permuted(call.graph, parts, [0, 3, 5, 1, 2, 4]);
  return reshaped(turned, [batch, channels * block * block, height / block, width / block]);
};
