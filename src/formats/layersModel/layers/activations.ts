import {weightOf, zeros, type NodeWriter, type WriterContext} from './layer';

/** x·scale + offset */
type Affine = [scale: number, offset: number];

const affine = ([scale, offset]: Affine) => ({scale, offset});
/** tfjs-layers' layers that a function is composed of; each takes and gives the name of a layer. */
const rescaled = (writer: WriterContext, input: string, scale: number, offset = 0) =>
  writer.part('Rescaling', affine([scale, offset]), {inputs: [input], suffix: 'scaled'});
const rectified = (writer: WriterContext, input: string, max: number | null = null) =>
  writer.part('ReLU', {max_value: max}, {inputs: [input], suffix: 'relu'});

const relu: NodeWriter = (writer) => {
  const {maxValue, negativeSlope, threshold} = writer.node.args as {
    maxValue: number | null;
    negativeSlope: number;
    threshold: number;
  };
  if (negativeSlope === 0 && threshold === 0) writer.whole('ReLU', {max_value: maxValue});
  else if (maxValue === null && threshold === 0) writer.whole('LeakyReLU', {alpha: negativeSlope});
  else if (maxValue === null && negativeSlope === 0) writer.whole('ThresholdedReLU', {theta: threshold});
  else if (threshold === 0) {
    writer.rewritten();
    const leaky = writer.part('LeakyReLU', {alpha: negativeSlope}, {suffix: 'leaky'});
    atMost(writer, leaky, maxValue as number);
  } else writer.refuse('a ReLU with a threshold and a slope or a bound is none of its layers');
};

/** min(x, most) = most − relu(most − x) */
function atMost(writer: WriterContext, input: string, most: number): void {
  const below = rectified(writer, rescaled(writer, input, -1, most));
  writer.whole('Rescaling', affine([-1, most]), {inputs: [below]});
}

const clip: NodeWriter = (writer) => {
  const {min, max} = writer.node.args as {min: number | null; max: number | null};
  const [input] = writer.inputs;
  writer.rewritten();
  if (min === 0) writer.whole('ReLU', {max_value: max});
  else if (min === null && max === null) writer.whole('Rescaling', affine([1, 0]));
  else if (min === null) atMost(writer, input, max as number);
  else {
    const above = rectified(writer, rescaled(writer, input, 1, -min), max === null ? null : max - min);
    writer.whole('Rescaling', affine([1, min]), {inputs: [above]});
  }
};

/** tfjs's ELU has alpha 1: relu(x) + alpha·elu(−relu(−x)) for another. */
const elu: NodeWriter = (writer) => {
  const alpha = writer.node.args.alpha as number;
  if (alpha === 1) {
    writer.whole('ELU', {alpha: 1});
    return;
  }
  writer.rewritten();
  const [input] = writer.inputs;
  const negative = rescaled(writer, rectified(writer, rescaled(writer, input, -1)), -1);
  const curve = writer.part('ELU', {alpha: 1}, {inputs: [negative], suffix: 'elu'});
  writer.whole('Add', {}, {inputs: [rectified(writer, input), rescaled(writer, curve, alpha)]});
};

const prelu: NodeWriter = (writer) => {
  const alpha = weightOf(writer, 'alpha');
  if (!alpha) return writer.refuse('it has no alpha');
  const [input] = writer.shapes;
  const shape = [...Array.from({length: input.length - alpha.shape.length}, () => 1), ...alpha.shape];
  const shared = shape.flatMap((size, axis) => (size === 1 && input[axis] !== 1 ? [axis + 1] : []));
  if (alpha.shape.length !== input.length) writer.rewritten();
  writer.whole(
    'PReLU',
    {alpha_initializer: zeros, shared_axes: shared.length > 0 ? shared : null},
    {weights: [{...alpha, shape}]},
  );
  writer.store({name: 'alpha', shape: alpha.shape, layer: writer.layerName, weight: 'alpha', form: 'same'});
};

/** clip(slope·x + offset, 0, 1), bounded by a layer of the given input. */
function hardSigmoidParts(writer: WriterContext, slope: number, offset: number): string {
  return rescaled(writer, writer.inputs[0], slope, offset);
}

const hardSigmoid: NodeWriter = (writer) => {
  const {slope, offset} = writer.node.args as {slope: number; offset: number};
  if (slope === 0.2 && offset === 0.5) {
    writer.whole('Activation', {activation: 'hard_sigmoid'});
    return;
  }
  writer.rewritten();
  writer.whole('ReLU', {max_value: 1}, {inputs: [hardSigmoidParts(writer, slope, offset)]});
};

/** tfjs's activations by the graph's names of them. */
const SIMPLE: Readonly<Record<string, string>> = {
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  swish: 'swish',
  gelu: 'gelu',
  mish: 'mish',
  softplus: 'softplus',
  softsign: 'softsign',
  selu: 'selu',
};

const COMPOSED: Readonly<Record<string, NodeWriter>> = {
  hard_swish(writer) {
    const gate = rectified(writer, hardSigmoidParts(writer, 1 / 6, 0.5), 1);
    writer.whole('Multiply', {}, {inputs: [writer.inputs[0], gate]});
  },
  negative: (writer) => void writer.whole('Rescaling', affine([-1, 0])),
  abs(writer) {
    const [input] = writer.inputs;
    const parts = [rectified(writer, input), rectified(writer, rescaled(writer, input, -1))];
    writer.whole('Add', {}, {inputs: parts});
  },
  square: (writer) => void writer.whole('Multiply', {}, {inputs: [writer.inputs[0], writer.inputs[0]]}),
  log_sigmoid(writer) {
    const negative = rescaled(writer, writer.inputs[0], -1);
    const soft = writer.part('Activation', {activation: 'softplus'}, {inputs: [negative], suffix: 'softplus'});
    writer.whole('Rescaling', affine([-1, 0]), {inputs: [soft]});
  },
};

const activation: NodeWriter = (writer) => {
  const name = writer.node.args.activation as string;
  if (Object.hasOwn(SIMPLE, name)) {
    writer.whole('Activation', {activation: SIMPLE[name]});
    return;
  }
  const composed = Object.hasOwn(COMPOSED, name) ? COMPOSED[name] : undefined;
  if (!composed) return writer.refuse(`"${name}" is none of its activations`);
  writer.rewritten();
  composed(writer);
};

const power: NodeWriter = (writer) => {
  const exponent = writer.node.args.exponent as number;
  writer.rewritten();
  if (exponent === 1) writer.whole('Rescaling', affine([1, 0]));
  else if (exponent === 2) COMPOSED.square(writer);
  else writer.refuse(`the power ${exponent} is none of its layers`);
};

const alongLast =
  (className: string, config: Record<string, unknown>): NodeWriter =>
  (writer) => {
    if (writer.node.args.axis !== writer.shapes[0].length) writer.refuse('it is taken along the last axis only');
    writer.whole(className, config);
  };

export const activationWriters: Readonly<Record<string, NodeWriter>> = {
  ReLU: relu,
  Clip: clip,
  ELU: elu,
  PReLU: prelu,
  HardSigmoid: hardSigmoid,
  Activation: activation,
  Power: power,
  Softmax: alongLast('Softmax', {axis: -1}),
  LogSoftmax: alongLast('Activation', {activation: 'log_softmax'}),
};
