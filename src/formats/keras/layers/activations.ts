import {InputError} from '../../../common/errors';
import {isRecord} from '../../../common/isRecord';
import {LayerArguments, toSnakeCase} from '../arguments';
import {shown} from '../topology';
import {positiveAxis, type Dialect, type LayerContext, type LayerReader} from './layer';

interface Plain {
  operator: string;
  args: Record<string, unknown>;
}

const relu = (maxValue: number | null = null, negativeSlope = 0, threshold = 0): Plain => ({
  operator: 'ReLU',
  args: {maxValue, negativeSlope, threshold},
});
const named = (activation: string): Plain => ({operator: 'Activation', args: {activation}});

/** Keras 3's hard sigmoid is relu6(x + 3) / 6; Keras 2's, and tfjs's, clip(0.2·x + 0.5, 0, 1). */
const hardSigmoid = (dialect: Dialect): Plain => ({
  operator: 'HardSigmoid',
  args: dialect === 'keras3' ? {slope: 1 / 6, offset: 0.5} : {slope: 0.2, offset: 0.5},
});

/** Activations by Keras' names (keras/activations), which need no axis. */
const ACTIVATIONS: Record<string, Plain> = {
  relu: relu(),
  relu6: relu(6),
  leaky_relu: relu(null, 0.2),
  elu: {operator: 'ELU', args: {alpha: 1}},
  celu: {operator: 'ELU', args: {alpha: 1}},
  hard_tanh: {operator: 'Clip', args: {min: -1, max: 1}},
  sigmoid: named('sigmoid'),
  tanh: named('tanh'),
  swish: named('swish'),
  silu: named('swish'),
  hard_swish: named('hard_swish'),
  hard_silu: named('hard_swish'),
  gelu: named('gelu'),
  gelu_new: named('gelu_tanh'),
  mish: named('mish'),
  softplus: named('softplus'),
  softsign: named('softsign'),
  selu: named('selu'),
  exponential: named('exponential'),
  log_sigmoid: named('log_sigmoid'),
};
const LINEAR = new Set(['linear', 'identity']);
const WITH_AXIS: Record<string, string> = {softmax: 'Softmax', log_softmax: 'LogSoftmax'};

/** The name that a configuration's `activation` carries, text or (Keras 3) an object; undefined for a layer as activation. */
function activationName(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return undefined;
  const {class_name: className, config} = value;
  if (className === 'function' || className === 'Function') return typeof config === 'string' ? config : undefined;
  if (typeof className !== 'string') return undefined;
  if (isRecord(config) && config.approximate === true && toSnakeCase(className) === 'gelu') return 'gelu_tanh';
  return className;
}

/** Whether an activation can be read; undefined counts as linear. */
export function knowsActivation(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  const name = activationName(value);
  if (name === undefined) return false;
  if (isRecord(value) && name in ACTIVATION_LAYERS) return true;
  const plain = plainName(name);
  return LINEAR.has(plain) || plain in WITH_AXIS || plain === 'hard_sigmoid' || plain in ACTIVATIONS;
}

/** `keras.activations>relu6`, `builtins.relu`, `hardSigmoid` → the plain name. */
const plainName = (name: string) => {
  const plain = toSnakeCase(name.split(/[>.]/).at(-1) ?? name);
  return plain === 'gelu_tanh' ? 'gelu_new' : plain;
};

/**
 * Puts the activation that a layer carries into a node of its own, called `<layer>_activation`.
 * @param node the layer's own node
 * @returns the node that carries the layer's output
 */
export function withActivation(layer: LayerContext, node: string): string {
  const value = layer.args.raw('activation');
  return applyActivation(layer, value, node, true);
}

function applyActivation(layer: LayerContext, value: unknown, input: string, extra: boolean): string {
  if (value === undefined || value === null) return input;
  const name = activationName(value);
  if (name === undefined) {
    throw layer.args.invalid('activation', value, 'an activation is named by text; use one of Keras’ own');
  }
  const fields = () => ({
    inputs: [input],
    ...(extra
      ? {name: layer.fresh(`${layer.name}_activation`), mark: {kind: 'activation' as const, of: layer.name}}
      : {}),
  });
  if (isRecord(value) && name in ACTIVATION_LAYERS && isRecord(value.config)) {
    const args = new LayerArguments(`the activation of ${layer.owner}`, value.config);
    const shapes = [layer.shapeOf(input)];
    const inner = {
      ...layer,
      args,
      shapes,
      inputs: [input],
      add: (operator: string, nodeArgs: Record<string, unknown>, more = {}) =>
        layer.add(operator, nodeArgs, {...fields(), ...more}),
    };
    const output = ACTIVATION_LAYERS[name](inner);
    args.finish();
    return output;
  }
  const plain = plainName(name);
  if (LINEAR.has(plain)) return input;
  if (plain in WITH_AXIS) {
    return layer.add(WITH_AXIS[plain], {axis: layer.shapeOf(input).length}, fields());
  }
  const known = plain === 'hard_sigmoid' ? hardSigmoid(layer.dialect) : ACTIVATIONS[plain];
  if (known === undefined) {
    throw new InputError(
      `${layer.owner} has activation ${shown(name)}, which is not known; known are ${[...LINEAR, ...Object.keys(WITH_AXIS), 'hard_sigmoid', ...Object.keys(ACTIVATIONS)].join(', ')}; use one of these, or export the model as ONNX`,
    );
  }
  return layer.add(known.operator, {...known.args}, fields());
}

/** tfjs's ReLU layer knows `max_value` alone. */
const reluLayer: LayerReader = ({args, add}) => {
  const maxValue = args.has('max_value') ? args.number('max_value') : null;
  args.ignore('max_value');
  return add('ReLU', {
    maxValue,
    negativeSlope: args.number('negative_slope', 0),
    threshold: args.number('threshold', 0),
  });
};

/** `alpha` until Keras 2, `negative_slope` since Keras 3. */
const leakyReluLayer: LayerReader = ({args, add}) => {
  const slope = args.has('negative_slope') ? args.number('negative_slope') : args.number('alpha', 0.3);
  return add('ReLU', {maxValue: null, negativeSlope: slope, threshold: 0});
};

const preluLayer: LayerReader = (layer) => {
  const shared = layer.args.raw('shared_axes') ?? [];
  if (!Array.isArray(shared)) throw layer.args.invalid('shared_axes', shared, 'it must be a list of axes');
  const shape = layer.shapes[0].map((size, axis) => (shared.includes(axis + 1) ? 1 : size));
  return layer.add('PReLU', {}, {weights: layer.weights([{name: 'alpha', shape}])});
};

const softmaxLayer =
  (operator: string): LayerReader =>
  (layer) =>
    layer.add(operator, {axis: positiveAxis(layer, 'axis', -1)});

/** Layers that are an activation; Keras 3 takes them as a layer's `activation` too. */
export const ACTIVATION_LAYERS: Record<string, LayerReader> = {
  ReLU: reluLayer,
  LeakyReLU: leakyReluLayer,
  PReLU: preluLayer,
  ELU: ({args, add}) => add('ELU', {alpha: args.number('alpha', 1)}),
  ThresholdedReLU: ({args, add}) => add('ReLU', {maxValue: null, negativeSlope: 0, threshold: args.number('theta', 1)}),
  Softmax: softmaxLayer('Softmax'),
};

export const activationLayers: Record<string, LayerReader> = {
  ...ACTIVATION_LAYERS,
  Activation: (layer) => applyActivation(layer, layer.args.raw('activation'), layer.inputs[0], false),
};
