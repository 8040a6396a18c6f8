import {consumersOf, nodeOf, weightOf, type Graph, type GraphNode} from './graph';

/** Rewrites that leave the logits as they are. Each returns a new graph. */

/** Everything that read `from` reads `to`, and `from` is gone. */
function bypass(graph: Graph, from: string, to: string): Graph {
  const redirect = (name: string) => (name === from ? to : name);
  return {
    nodes: graph.nodes
      .filter((node) => node.name !== from)
      .map((node) => (node.inputs.includes(from) ? {...node, inputs: node.inputs.map(redirect)} : node)),
    inputs: graph.inputs,
    outputs: graph.outputs.map(redirect),
  };
}

function replace(graph: Graph, changed: GraphNode): Graph {
  return {...graph, nodes: graph.nodes.map((node) => (node.name === changed.name ? changed : node))};
}

const SHAPE_ONLY = new Set(['Reshape', 'Flatten', 'Dropout']);

/** The graph up to the logits: without a trailing softmax, also one that is followed by a reshape. */
export function stripSoftmax(graph: Graph): Graph {
  let node = nodeOf(graph, graph.outputs[0]);
  while (SHAPE_ONLY.has(node.operator)) node = nodeOf(graph, node.inputs[0]);
  if (consumersOf(graph, node.name).length > 1) return graph;
  const isSoftmax = (value: unknown) => value === 'softmax' || value === 'logSoftmax';
  if (node.operator === 'Softmax' || (node.operator === 'Activation' && isSoftmax(node.args.activation))) {
    return bypass(graph, node.name, node.inputs[0]);
  }
  if (isSoftmax(node.args.activation)) {
    return replace(graph, {...node, args: {...node.args, activation: 'linear'}});
  }
  return graph;
}

/** Classes whose output channels batch norm can be folded into, and the name of the array to scale. */
const KERNEL_NAME: Record<string, string> = {
  Conv2D: 'kernel',
  Dense: 'kernel',
  DepthwiseConv2D: 'depthwise_kernel',
};

/**
 * Folds each batch norm into the convolution or dense layer before it: W ← W·s, b ← β + (b − μ)·s with s = γ/√(σ² + ε).
 * A layer in `except` (the layer of interest) keeps its batch norm, so that its own output is what the method divides.
 */
export function foldBatchNorm(graph: Graph, except: readonly string[] = []): Graph {
  let folded = graph;
  for (const norm of graph.nodes.filter((node) => node.operator === 'BatchNormalization')) {
    const current = nodeOf(folded, norm.name);
    const linear = nodeOf(folded, current.inputs[0]);
    const canFold =
      linear.operator in KERNEL_NAME &&
      (linear.args.activation ?? 'linear') === 'linear' &&
      !except.includes(linear.name) &&
      consumersOf(folded, linear.name).length === 1 &&
      !folded.outputs.includes(linear.name) &&
      linear.args.dataFormat !== 'channelsFirst';
    if (!canFold) continue;
    folded = bypass(replace(folded, scaled(linear, current)), current.name, linear.name);
  }
  return folded;
}

/** s and t of a batch norm as s·x + t per channel, in float64. */
export function batchNormAffine(norm: GraphNode, channels: number): {scale: Float64Array; shift: Float64Array} {
  const epsilon = (norm.args.epsilon as number | undefined) ?? 1e-3;
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map(
    (name) => weightOf(norm, name)?.data,
  );
  const scale = Float64Array.from(
    {length: channels},
    (_, c) => (gamma?.[c] ?? 1) / Math.sqrt((variance?.[c] ?? 1) + epsilon),
  );
  const shift = Float64Array.from({length: channels}, (_, c) => (beta?.[c] ?? 0) - (mean?.[c] ?? 0) * scale[c]);
  return {scale, shift};
}

function scaled(linear: GraphNode, norm: GraphNode): GraphNode {
  const kernelName = KERNEL_NAME[linear.operator];
  const kernel = weightOf(linear, kernelName);
  if (!kernel) throw new Error(`layer "${linear.name}" has no ${kernelName}`);
  const depthwise = linear.operator === 'DepthwiseConv2D';
  const channels = depthwise ? kernel.shape[2] * kernel.shape[3] : kernel.shape[kernel.shape.length - 1];
  const {scale, shift} = batchNormAffine(norm, channels);
  const bias = weightOf(linear, 'bias')?.data;
  return {
    ...linear,
    args: {...linear.args, useBias: true},
    weights: [
      {name: kernelName, shape: kernel.shape, data: kernel.data.map((value, i) => value * scale[i % channels])},
      {name: 'bias', shape: [channels], data: Float32Array.from(scale, (s, c) => (bias?.[c] ?? 0) * s + shift[c])},
    ],
  };
}

/** Activations that the engines compute together with a convolution. */
const FUSIBLE = new Set(['relu', 'elu']);

/** Moves an activation layer into the convolution before it, which saves a pass over memory. Not for layers in `keep`. */
export function fuseActivations(graph: Graph, keep: readonly string[] = []): Graph {
  let fused = graph;
  for (const activation of graph.nodes.filter(({operator}) => operator === 'Activation' || operator === 'ReLU')) {
    const kind = activation.operator === 'ReLU' ? plainRelu(activation) : (activation.args.activation as string);
    const linear = nodeOf(fused, nodeOf(fused, activation.name).inputs[0]);
    const canFuse =
      FUSIBLE.has(kind) &&
      linear.operator === 'Conv2D' &&
      (linear.args.activation ?? 'linear') === 'linear' &&
      !keep.includes(linear.name) &&
      !keep.includes(activation.name) &&
      !fused.outputs.includes(linear.name) &&
      consumersOf(fused, linear.name).length === 1;
    if (!canFuse) continue;
    const changed = {...linear, args: {...linear.args, activation: kind}};
    fused = bypass(replace(fused, changed), activation.name, linear.name);
  }
  return fused;
}

/** A ReLU layer without a bound is the activation `relu`; with one it stays a layer. */
function plainRelu(node: GraphNode): string {
  return node.args.maxValue === undefined || node.args.maxValue === null ? 'relu' : 'bounded relu';
}
