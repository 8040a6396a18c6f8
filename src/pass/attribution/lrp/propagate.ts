import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../../common/errors';
import {nodeOf, type Graph, type GraphNode} from '../../../network/graph';
import {operatorOf} from '../../../network/operators';
import {inProportion, throughKernel, type KernelLayer, type LinearRule} from './rules';

/** Stabilises sums without weights, as zennit does. */
const SMALL = 1e-6;

/** Each output is one of the inputs' values, from which it takes all its relevance; of a maximum, the largest. */
const ROUTED = [
  ['Reshape', 'Permute', 'Slice', 'Concatenate', 'Pad'],
  ['MaxPooling2D', 'GlobalMaxPooling2D', 'Max', 'Maximum', 'Minimum'],
].flat();

/** Sums of inputs with fixed factors, or averages: relevance in proportion to what each adds. */
const SUMS = [
  ['Add', 'Subtract', 'Average', 'AveragePooling2D', 'GlobalAveragePooling2D', 'Mean', 'Sum', 'Resize'],
  ['BatchNormalization', 'Rescaling'],
].flat();

/** A value's relevance is that of the value that it was computed from. */
const ELEMENTWISE = ['ReLU', 'ELU', 'PReLU', 'HardSigmoid', 'Clip'];
const ACTIVATIONS = [
  ['sigmoid', 'tanh', 'swish', 'hard_swish', 'gelu', 'gelu_tanh', 'mish'],
  ['softplus', 'softsign', 'selu', 'erf', 'log_sigmoid'],
].flat();

/** Layers that the rules are about. */
const KERNELS = ['Conv2D', 'DepthwiseConv2D', 'Conv2DTranspose', 'Dense'];

type Kind = 'routed' | 'sum' | 'elementwise' | 'kernel' | 'product';

function kindOf({operator, args}: GraphNode): Kind | undefined {
  if (KERNELS.includes(operator)) return 'kernel';
  if (ROUTED.includes(operator)) return 'routed';
  if (SUMS.includes(operator)) return 'sum';
  if (ELEMENTWISE.includes(operator)) return 'elementwise';
  if (operator === 'Activation' && ACTIVATIONS.includes(args.activation as string)) return 'elementwise';
  return operator === 'Multiply' ? 'product' : undefined;
}

/** @throws InputError that names what relevance cannot be propagated through */
export function checkPropagates(graph: Graph, layer: string): void {
  const refused = graph.nodes.find((node) => node.inputs.length > 0 && !kindOf(node));
  if (!refused) return;
  const operator = refused.operator === 'Activation' ? (refused.args.activation as string) : refused.operator;
  throw new InputError(
    `no rule of LRP for ${operator} "${refused.name}", which comes after layer "${layer}"; choose a layer behind it, or another attribution, such as actGrad`,
  );
}

export interface Propagation {
  graph: Graph;
  /** Value of each node. */
  values: Readonly<Record<string, tf.Tensor>>;
  ruleOf: (node: GraphNode) => LinearRule;
  /** The kernel of a node, with its parts. */
  kernelOf: (node: GraphNode) => KernelLayer;
}

/**
 * Relevance of a graph's inputs by relevance of its output, node by node from the last to the first.
 * @param relevance shaped as the output
 * @returns by input, shaped as it; what biases and constants are given is in none of them
 */
export function propagate(propagation: Propagation, relevance: tf.Tensor): Record<string, tf.Tensor> {
  const {graph} = propagation;
  const found = new Map<string, tf.Tensor>([[graph.outputs[0], relevance]]);
  for (const node of [...graph.nodes].reverse()) {
    const own = found.get(node.name);
    if (!own || node.inputs.length === 0) continue;
    const parts = tf.tidy(() => through(node, propagation, own)); // one for each input
    own.dispose();
    found.delete(node.name);
    node.inputs.forEach((input, n) => {
      const before = found.get(input);
      found.set(input, before ? tf.add(before, parts[n]) : parts[n]);
    });
  }
  return Object.fromEntries([...found].filter(([name]) => graph.inputs.includes(name)));
}

function through(node: GraphNode, {graph, values, ruleOf, kernelOf}: Propagation, relevance: tf.Tensor): tf.Tensor[] {
  const inputs = node.inputs.map((name) => values[name]);
  const weights = Object.fromEntries(node.weights.map(({name, shape, data}) => [name, tf.tensor(data, shape)]));
  const run = (given: tf.Tensor[]) => operatorOf(node.operator).run(node, given, weights);
  switch (kindOf(node)) {
    case 'kernel':
      return [throughKernel(kernelOf(node), inputs[0], relevance, ruleOf(node))];
    case 'routed':
      return tf.grads((...given: tf.Tensor[]) => run(given))(inputs, relevance);
    case 'sum':
      return inProportion(run, inputs, relevance, SMALL);
    case 'product': {
      // In equal parts, whatever the factors (Achtibat et al. 2024, AttnLRP, section 3.3.2); constants take nothing.
      const isFixed = (name: string) => nodeOf(graph, name).operator === 'Constant';
      const factors = node.inputs.filter((name) => !isFixed(name)).length;
      const part = tf.div(relevance, factors);
      const sum = {...node, operator: 'Add'};
      return tf.grads((...given: tf.Tensor[]) => operatorOf('Add').run(sum, given, {}))(inputs, part);
    }
    default:
      return [relevance.clone()];
  }
}
