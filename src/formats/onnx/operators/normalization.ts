import {
  activationInput,
  emit,
  integer,
  listed,
  number,
  positive,
  refuse,
  weight,
  weightInput,
  type Call,
  type Reader,
} from '../call';
import {transposed} from '../tensors';
import {arranged, CHANNELS_LAST, nodeAxis, reshaped, type Activation} from '../values';

export const batchNormalization: Reader = (call) => {
  const value = activationInput(call);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((at) => weightInput(call, at));
  const named = {gamma, beta, moving_mean: mean, moving_variance: variance};
  const weights = Object.entries(named).map(([name, {data}]) => weight(name, [data.length], data));
  const axis = nodeAxis(value, value.shape.length === 1 ? 0 : 1);
  return emit(call, 'BatchNormalization', {axis, epsilon: number(call, 'epsilon', 1e-5)}, value, weights);
};

export const layerNormalization: Reader = (call) => {
  const value = activationInput(call);
  const rank = value.shape.length;
  const first = positive(call, integer(call, 'axis', -1), rank);
  // In the order in which the node has them: its weights follow.
  const fileAxes = value.axes.filter((axis) => axis >= first);
  const axes = fileAxes.map((axis) => nodeAxis(value, axis));
  if (axes.includes(0)) throw refuse(call, 'it normalises over the batch axis');
  const weights = ['gamma', 'beta'].flatMap((name, at) => {
    if (!call.inputs[at + 1]) return [];
    const given = weightInput(call, at + 1);
    const shape = value.shape.slice(first);
    if (given.data.length !== shape.reduce((a, b) => a * b, 1)) {
      throw refuse(call, `its weights have shape [${given.shape.join(', ')}]; [${shape.join(', ')}] is supported`);
    }
    const turned = transposed(
      given.data,
      shape,
      fileAxes.map((axis) => axis - first),
    );
    return [weight(name, turned.shape, turned.data)];
  });
  return emit(call, 'LayerNormalization', {axes, epsilon: number(call, 'epsilon', 1e-5)}, value, weights);
};

function grouped(call: Call, value: Activation, groups: number, gamma?: Float32Array, beta?: Float32Array): Activation {
  const input = arranged(call.graph, value, CHANNELS_LAST);
  const weights = [
    ...(gamma ? [weight('gamma', [gamma.length], gamma)] : []),
    ...(beta ? [weight('beta', [beta.length], beta)] : []),
  ];
  return emit(call, 'GroupNormalization', {groups, epsilon: number(call, 'epsilon', 1e-5)}, input, weights);
}

/** One number for each channel from one for each group. */
const perChannel = (data: ArrayLike<number>, channels: number) =>
  Float32Array.from({length: channels}, (_, c) => data[Math.floor((c * data.length) / channels)]);

export const groupNormalization: Reader = (call) => {
  const value = activationInput(call);
  const [gamma, beta] = [1, 2].map((at) => perChannel(weightInput(call, at).data, value.shape[1]));
  return grouped(call, value, integer(call, 'num_groups', 1), gamma, beta);
};

/**
 * Each channel by itself. Exporters before operator set 18 write a group norm as Reshape to [B, groups, …], this, and Reshape back: then
 * the pending reshape tells the groups.
 */
export const instanceNormalization: Reader = (call) => {
  const [given] = call.inputs;
  const base = given?.kind === 'activation' ? given.base : undefined;
  const [gamma, beta] = [1, 2].map((at) => weightInput(call, at).data);
  if (given?.kind === 'activation' && base?.shape.length === 4 && given.shape.length === 3) {
    const [, groups] = given.shape;
    const channels = base.shape[1];
    if (channels % groups !== 0) throw refuse(call, `${channels} channels do not divide into ${groups} groups`);
    const result = grouped(call, base, groups, perChannel(gamma, channels), perChannel(beta, channels));
    return reshaped(result, given.shape);
  }
  const value = activationInput(call);
  if (value.shape.length !== 4)
    throw refuse(call, `an input of shape [${value.shape.join(', ')}] is not supported; images are`);
  return grouped(call, value, value.shape[1], Float32Array.from(gamma), Float32Array.from(beta));
};

const axesOf = (call: Call, rank: number) => {
  const given = listed(call, 1, 'axes');
  if (given && given.length > 0) return given.map((axis) => positive(call, axis, rank));
  return Array.from({length: rank}, (_, axis) => axis);
};

export const reduction =
  (operator: 'Mean' | 'Max' | 'Sum'): Reader =>
  (call) => {
    const value = activationInput(call);
    const rank = value.shape.length;
    if (!listed(call, 1, 'axes')?.length && integer(call, 'noop_with_empty_axes', 0) === 1) return value;
    const fileAxes = axesOf(call, rank);
    const keepdims = integer(call, 'keepdims', 1) === 1;
    const images = rank === 4 && fileAxes.length === 2 && [2, 3].every((axis) => fileAxes.includes(axis));
    const kept = value.shape.map((size, axis) => (fileAxes.includes(axis) ? 1 : size));
    const without = value.shape.filter((_, axis) => !fileAxes.includes(axis));
    let result: Activation;
    if (images && operator !== 'Sum') {
      const global = operator === 'Mean' ? 'GlobalAveragePooling2D' : 'GlobalMaxPooling2D';
      result = emit(call, global, {keepdims: true}, arranged(call.graph, value, CHANNELS_LAST));
    } else {
      const axes = fileAxes.map((axis) => nodeAxis(value, axis)).sort((a, b) => a - b);
      if (axes.includes(0)) throw refuse(call, 'it works along the batch axis, which is not supported');
      result = emit(call, operator, {axes, keepdims: true}, value);
      result.shape = kept;
    }
    return keepdims ? result : reshaped(result, without);
  };

/** x / max(‖x‖, ε) and other norms are not among our operators: their parts are. */
export const reduceL2: Reader = (call) => {
  const value = activationInput(call);
  const squares = call.run('Mul', [value, value])[0];
  const sum = call.run('ReduceSum', [squares, call.inputs[1]], call.node.attribute)[0];
  return call.run('Sqrt', [sum])[0];
};
