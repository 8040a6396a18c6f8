import {
  activationInput,
  emit,
  fileShape,
  integer,
  knownInput,
  number,
  refuse,
  weight,
  weightInput,
  words,
  type Call,
  type Reader,
} from '../call';
import {constant, float32, type Constant} from '../tensors';
import {alongside, arranged, broadcastShape, nodeAxis, settled, type Activation, type Value} from '../values';

/** An operator of one input and no arguments. */
export const unary =
  (operator: string, args: Record<string, unknown> = {}): Reader =>
  (call) =>
    emit(call, operator, args, activationInput(call));

export const named = (activation: string): Reader => unary('Activation', {activation});

/** A value for which nothing is to be done. */
export const passed: Reader = (call) => call.inputs[0] as Value;

export const cast: Reader = (call) => {
  const to = integer(call, 'to', 1);
  if (![1, 10, 11, 16].includes(to))
    throw refuse(call, `it turns activations into ONNX data type ${to}; only real numbers are supported`);
  return passed(call);
};

export const relu = (negativeSlope = 0): Reader => unary('ReLU', {maxValue: null, negativeSlope, threshold: 0});

export const leakyRelu: Reader = (call) => relu(number(call, 'alpha', 0.01))(call);

export const thresholdedRelu: Reader = (call) =>
  unary('ReLU', {maxValue: null, negativeSlope: 0, threshold: number(call, 'alpha', 1)})(call);

export const elu: Reader = (call) => unary('ELU', {alpha: number(call, 'alpha', 1)})(call);

export const celu: Reader = (call) => {
  if (number(call, 'alpha', 1) !== 1) throw refuse(call, `alpha ${number(call, 'alpha', 1)} is not supported; 1 is`);
  return unary('ELU', {alpha: 1})(call);
};

export const selu: Reader = (call) => {
  const [alpha, gamma] = [number(call, 'alpha', 1.6732632), number(call, 'gamma', 1.0507009)];
  if (Math.abs(alpha - 1.6732632) > 1e-5 || Math.abs(gamma - 1.0507009) > 1e-5) {
    throw refuse(call, `alpha ${alpha} and gamma ${gamma} are not supported; SELU's own are`);
  }
  return named('selu')(call);
};

export const hardSigmoid: Reader = (call) =>
  unary('HardSigmoid', {slope: number(call, 'alpha', 0.2), offset: number(call, 'beta', 0.5)})(call);

export const gelu: Reader = (call) => named(words(call, 'approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu')(call);

/** x·sigmoid(α·x) */
export const swish: Reader = (call) => {
  if (number(call, 'alpha', 1) !== 1) throw refuse(call, `alpha ${number(call, 'alpha', 1)} is not supported; 1 is`);
  return named('swish')(call);
};

export const softmax =
  (operator: 'Softmax' | 'LogSoftmax'): Reader =>
  (call) => {
    const value = activationInput(call);
    const rank = value.shape.length;
    const axis = integer(call, 'axis', call.opset < 13 ? 1 : -1);
    const at = axis < 0 ? axis + rank : axis;
    if (call.opset < 13 && value.shape.slice(at + 1).some((size) => size !== 1)) {
      throw refuse(
        call,
        'before operator set 13 it runs over several axes at once, which is not supported; export with operator set 13 or later',
      );
    }
    if (nodeAxis(value, at) < 1) throw refuse(call, 'it runs over the batch axis');
    return emit(call, operator, {axis: nodeAxis(value, at)}, value);
  };

/** Bounds are attributes before operator set 11, then inputs. */
export const clip: Reader = (call) => {
  const bound = (at: number, name: string) => {
    const given = call.node.attribute.find((one) => one.name === name)?.f ?? knownInput(call, at)?.data[0];
    return given === undefined || Math.abs(given) >= 3e38 ? null : given;
  };
  const [min, max] = [bound(1, 'min'), bound(2, 'max')];
  if (min === null && max === null) return passed(call);
  if (min === 0 && (max === null || max > 0))
    return unary('ReLU', {maxValue: max, negativeSlope: 0, threshold: 0})(call);
  return unary('Clip', {min, max})(call);
};

export const prelu: Reader = (call) => {
  const value = activationInput(call);
  const slope = weightInput(call, 1);
  // A vector belongs to the channels, whatever broadcasting says.
  const rank = value.shape.length;
  const perChannel = slope.shape.length === 1 && slope.data.length === value.shape[1] && rank > 2;
  const {shape, data} = alongside(
    value,
    perChannel ? {...slope, shape: [slope.data.length, ...Array<number>(rank - 2).fill(1)]} : slope,
  );
  return emit(call, 'PReLU', {}, value, [weight('alpha', shape, data)]);
};

type Binary = 'Add' | 'Subtract' | 'Multiply' | 'Divide' | 'Maximum' | 'Minimum';

/** x·scale + offset, where a known array acts as one number, or as one for each entry of the node's last axis. */
const AFFINE: Readonly<
  Partial<Record<Binary, (c: number, swapped: boolean) => [scale: number, offset: number] | undefined>>
> = {
  Add: (c) => [1, c],
  Subtract: (c, swapped) => (swapped ? [-1, c] : [1, -c]),
  Multiply: (c) => [c, 0],
  Divide: (c, swapped) => (swapped ? undefined : [1 / c, 0]),
};

export const binary =
  (operator: Binary): Reader =>
  (call) => {
    const [first, ...rest] = call.inputs as Value[];
    if (rest.length === 0) return first;
    return rest.reduce((a, b) => combined(call, operator, a, b), first);
  };

function combined(call: Call, operator: Binary, a: Value, b: Value): Value {
  if (a.kind === 'activation' && b.kind === 'activation') return joined(call, operator, a, b);
  if (a.kind === 'activation' && b.kind === 'constant') return withKnown(call, operator, a, b, false);
  if (b.kind === 'activation' && a.kind === 'constant') return withKnown(call, operator, b, a, true);
  throw refuse(call, 'its inputs are known arrays');
}

function joined(call: Call, operator: string, left: Activation, right: Activation): Activation {
  const [a, b] = [settled(call.graph, left), settled(call.graph, right)];
  if (a.shape.length !== b.shape.length) {
    throw refuse(
      call,
      `its inputs have shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}]; equal numbers of axes are supported`,
    );
  }
  const shape = broadcastShape(a.shape, b.shape);
  // The one that fills the result keeps its order of axes: it is the larger one to move.
  const axes = a.shape.every((size, axis) => size === shape[axis]) ? a.axes : b.axes;
  const inputs = [a, b].map((value) => arranged(call.graph, value, axes).node);
  return {kind: 'activation', node: call.graph.add(operator, call.name, {inputs}), shape, axes};
}

function withKnown(call: Call, operator: Binary, given: Activation, known: Constant, swapped: boolean): Activation {
  let value = settled(call.graph, given);
  if (known.shape.length > value.shape.length && known.data.length > 1) {
    throw refuse(
      call,
      `arrays of shapes [${value.shape.join(', ')}] and [${known.shape.join(', ')}] are not supported together`,
    );
  }
  let {shape, data} = alongside(value, known.data.length === 1 ? constant([], known.data, known.type) : known);
  // A number for each channel goes to the last axis, where operators want it.
  const longAxes = shape.flatMap((size, at) => (size > 1 ? [at + 1] : []));
  if (
    longAxes.length === 1 &&
    longAxes[0] !== shape.length &&
    data.length === call.graph.shapeOf(value.node)[longAxes[0] - 1] &&
    value.shape.length === 4
  ) {
    value = arranged(
      call.graph,
      value,
      value.axes.filter((_, at) => at !== longAxes[0]).concat(value.axes[longAxes[0]]),
    );
    ({shape, data} = alongside(value, known));
  }
  const affine = AFFINE[operator];
  const channels = call.graph.shapeOf(value.node).at(-1) as number;
  const isVector = data.length === 1 || (data.length === channels && shape.at(-1) === channels);
  if (affine && isVector && affine(1, swapped)) {
    const pairs = Array.from(data, (c) => affine(c, swapped) as [number, number]);
    const array = (at: 0 | 1) => {
      const numbers = pairs.map((pair) => pair[at]);
      const uniform = numbers.every((one) => one === numbers[0]) ? numbers.slice(0, 1) : numbers;
      return Float32Array.from(uniform);
    };
    const [scale, offset] = [array(0), array(1)];
    return emit(call, 'Rescaling', {}, value, [
      weight('scale', [scale.length], scale),
      weight('offset', [offset.length], offset),
    ]);
  }
  const held = call.graph.add('Constant', `${call.name}_constant`, {
    weights: [weight('value', shape, float32(data))],
    mark: {kind: 'generated', of: call.name},
  });
  const inputs = swapped ? [held, value.node] : [value.node, held];
  const node = call.graph.add(operator, call.name, {inputs});
  return {kind: 'activation', node, axes: value.axes, shape: fileShape(call.graph.shapeOf(node), value)};
}

export const power: Reader = (call) => {
  const exponent = weightInput(call, 1);
  if (exponent.data.length !== 1) throw refuse(call, 'only one exponent for all values is supported');
  return emit(call, 'Power', {exponent: exponent.data[0]}, activationInput(call));
};

/** The mean of several values. */
export const average: Reader = (call) => {
  const values = call.inputs.map((_, at) => activationInput(call, at));
  if (values.length === 1) return values[0];
  const inputs = values.map((value) => arranged(call.graph, value, values[0].axes).node);
  const node = call.graph.add('Average', call.name, {inputs});
  return {kind: 'activation', node, axes: values[0].axes, shape: fileShape(call.graph.shapeOf(node), values[0])};
};
