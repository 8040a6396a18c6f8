import {InputError} from '../../../common/errors';
import {isTensor, shown, type LayerRecord} from '../topology';
import type {LayerContext, LayerReader} from './layer';
import {addRescaling} from './normalizations';

/**
 * Arithmetic that was written into a network as Python (`x * 2 + 1`, `tf.nn.relu6(x)`): Keras 2 keeps it as a `TFOpLambda` with the
 * function's name, Keras 3 as an operation of `keras.ops`.
 */

type Operand = {node: string} | {numbers: number[]};
type Operation = (layer: LayerContext) => string;

/** The two operands, whether given by place or by name (`x1` and `x2` in Keras 3, `x` and `y` in TensorFlow). */
function operands(layer: LayerContext): [Operand, Operand] {
  const {positional, named} = layer.use;
  const values = [...positional];
  for (const key of ['x1', 'x', 'a', 'value', 'x2', 'y', 'b', 'bias']) if (key in named) values.push(named[key]);
  const extra = Object.keys(named).filter((key) => !/^(x1?|x2|a|b|y|value|bias|name|data_format)$/.test(key));
  if (values.length !== 2 || extra.length > 0) {
    throw new InputError(
      `${layer.owner} has arguments that are not known: ${[...extra, ...values.slice(2).map(shown)].join(', ') || 'two are needed'}; replace it by a Keras layer, or export the model as ONNX`,
    );
  }
  return values.map((value): Operand => {
    if (isTensor(value)) return {node: layer.nodeOf(value)};
    const flat = Array.isArray(value.constant) ? value.constant.flat(8) : [value.constant];
    if (flat.length === 0 || !flat.every(Number.isFinite)) {
      throw new InputError(
        `${layer.owner} computes with ${shown(value.constant)}; a number, or one for each channel, is read`,
      );
    }
    return {numbers: flat as number[]};
  }) as [Operand, Operand];
}

const negated = (values: number[]) => values.map((value) => -value);
const inverse = (values: number[]) => values.map((value) => 1 / value);
const same = (values: number[], value: number) => values.map(() => value);

/**
 * @param operator for two tensors
 * @param right scale and offset where the second operand is a constant
 * @param left the same where the first one is
 */
const binary =
  (
    operator: string,
    right: (c: number[]) => [scale: number[], offset: number[]],
    left?: (c: number[]) => [scale: number[], offset: number[]],
  ): Operation =>
  (layer) => {
    const [a, b] = operands(layer);
    if ('node' in a && 'node' in b) return layer.add(operator, {}, {inputs: [a.node, b.node]});
    if ('node' in a && 'numbers' in b) return addRescaling(layer, ...right(b.numbers));
    if ('numbers' in a && 'node' in b && left) return addRescaling(layer, ...left(a.numbers));
    throw new InputError(`${layer.owner} divides a constant by a tensor, which is not read; export the model as ONNX`);
  };

const plus = (c: number[]): [number[], number[]] => [same(c, 1), c];
const times = (c: number[]): [number[], number[]] => [c, same(c, 0)];

const unary =
  (operator: string, args: Record<string, unknown>): Operation =>
  (layer) =>
    layer.add(operator, args);

const relu = (maxValue: number | null): Operation => unary('ReLU', {maxValue, negativeSlope: 0, threshold: 0});
const activation = (name: string): Operation => unary('Activation', {activation: name});

/** By the last part of the function's name in TensorFlow, and by the class's in Keras 3, in small letters without underlines. */
const OPERATIONS: Record<string, Operation> = {
  add: binary('Add', plus, plus),
  addv2: binary('Add', plus, plus),
  biasadd: binary('Add', plus),
  subtract: binary(
    'Subtract',
    (c) => [same(c, 1), negated(c)],
    (c) => [same(c, -1), c],
  ),
  multiply: binary('Multiply', times, times),
  truediv: binary('Divide', (c) => [inverse(c), same(c, 0)]),
  truedivide: binary('Divide', (c) => [inverse(c), same(c, 0)]),
  divide: binary('Divide', (c) => [inverse(c), same(c, 0)]),
  relu: relu(null),
  relu6: relu(6),
  sigmoid: activation('sigmoid'),
  tanh: activation('tanh'),
  silu: activation('swish'),
  swish: activation('swish'),
  softplus: activation('softplus'),
  negative: activation('negative'),
  square: activation('square'),
  abs: activation('abs'),
  absolute: activation('abs'),
  exp: activation('exponential'),
  sqrt: activation('sqrt'),
  cast: (layer) => layer.inputs[0],
  identity: (layer) => layer.inputs[0],
  stopgradient: (layer) => layer.inputs[0],
};
OPERATIONS.sub = OPERATIONS.subtract;
OPERATIONS.mul = OPERATIONS.multiply;

const key = (name: string) => (name.split(/[./>]/).at(-1) ?? '').replace(/_/g, '').toLowerCase();

/** Whether a description says that it is an operation of `keras.ops`, not the layer of the same name. */
export const isOperation = (module: string) => /(^|\.)ops(\.|$)/.test(module);

/**
 * The function that a layer of plain Python stands for; undefined for another layer or another function. HDF5 files and tfjs's JSON do
 * not say where a class is from: there an `Add` with a constant among its arguments is the operation.
 */
export function operationOf({className, module, config, uses}: LayerRecord, isLayer: boolean): LayerReader | undefined {
  const lambda = className === 'TFOpLambda';
  const constants = uses.some(({positional}) => positional.some((value) => !isTensor(value)));
  if (!lambda && isLayer && !isOperation(module) && !constants) return undefined;
  const name = lambda ? config.function : className;
  const operation =
    typeof name === 'string' && Object.hasOwn(OPERATIONS, key(name)) ? OPERATIONS[key(name)] : undefined;
  if (!operation) return undefined;
  return (layer) => {
    layer.args.ignore('function');
    return operation(layer);
  };
}
