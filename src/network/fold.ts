import {bypass, consumersOf, nodeOf, replaceNode, weightOf, type Graph, type GraphNode} from './graph';
import {shapesOf} from './operators';

/** Operators whose output channels batch norm can be folded into: their kernel's last axis (or last two) counts these channels. */
const FOLDABLE = new Set(['Conv2D', 'Dense', 'DepthwiseConv2D']);

/**
 * Folds each batch norm over channels into the convolution or dense layer before it: W ← W·s, b ← β + (b − μ)·s with
 * s = γ/√(σ² + ε). A batch norm over another axis scales positions, which no kernel can, and stays; so does one whose layer
 * something else reads. The logits stay as they are.
 * @param except layers of interest: they keep their batch norm, so that their own output is what the method divides
 */
export function foldBatchNorm(graph: Graph, except: readonly string[] = []): Graph {
  const norms = graph.nodes.filter(({operator}) => operator === 'BatchNormalization');
  if (norms.length === 0) return graph;
  const shapes = shapesOf(graph);
  let folded = graph;
  for (const {name} of norms) {
    const norm = nodeOf(folded, name);
    const linear = nodeOf(folded, norm.inputs[0]);
    const channelAxis = (shapes.get(linear.name) as number[]).length;
    const canFold =
      FOLDABLE.has(linear.operator) &&
      norm.args.axis === channelAxis &&
      !except.includes(linear.name) &&
      consumersOf(folded, linear.name).length === 1 &&
      !folded.outputs.includes(linear.name);
    if (canFold) folded = bypass(replaceNode(folded, scaled(linear, norm)), norm.name, linear.name);
  }
  return folded;
}

/** s and t of a batch norm as s·x + t per channel, in float64. */
export function batchNormAffine(norm: GraphNode, channels: number): {scale: Float64Array; shift: Float64Array} {
  const epsilon = norm.args.epsilon as number;
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
  const kernel = weightOf(linear, 'kernel');
  if (!kernel) throw new Error(`layer "${linear.name}" has no kernel`);
  const depthwise = linear.operator === 'DepthwiseConv2D';
  const channels = depthwise ? kernel.shape[2] * kernel.shape[3] : kernel.shape[kernel.shape.length - 1];
  const {scale, shift} = batchNormAffine(norm, channels);
  const bias = weightOf(linear, 'bias')?.data;
  const data = new Float32Array(kernel.data.length);
  for (let row = 0; row < data.length; row += channels) {
    for (let c = 0; c < channels; c++) data[row + c] = kernel.data[row + c] * scale[c];
  }
  return {
    ...linear,
    weights: [
      {name: 'kernel', shape: kernel.shape, data},
      {name: 'bias', shape: [channels], data: Float32Array.from(scale, (s, c) => (bias?.[c] ?? 0) * s + shift[c])},
    ],
  };
}
