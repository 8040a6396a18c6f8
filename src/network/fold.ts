import {bypass, consumersOf, nodeOf, replaceNode, weightOf, type Graph, type GraphNode} from './graph';
import {shapesOf} from './operators';

/** Operators that batch norm can be folded into, and how many of their kernel's last axes count the output channels. */
const CHANNEL_AXES: Readonly<Record<string, number>> = {Conv2D: 1, Dense: 1, DepthwiseConv2D: 2};

/**
 * A convolution or dense layer with the batch norm behind it: W ← W·s, b ← β + (b − μ)·s with s = γ/√(σ² + ε); undefined where it
 * cannot be, as over another axis than the channels', where it scales positions.
 * @param rank axes of the layer's output, without the batch axis
 */
export function foldedInto(linear: GraphNode, norm: GraphNode, rank: number): GraphNode | undefined {
  const axes = CHANNEL_AXES[linear.operator];
  if (norm.operator !== 'BatchNormalization' || axes === undefined || norm.args.axis !== rank) return undefined;
  const kernel = weightOf(linear, 'kernel');
  if (!kernel) return undefined;
  const channels = kernel.shape.slice(-axes).reduce((product, size) => product * size, 1);
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

/**
 * Folds each batch norm over channels into the layer before it; one whose layer something else reads stays. The logits stay as they are.
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
    if (except.includes(linear.name) || folded.outputs.includes(linear.name)) continue;
    if (consumersOf(folded, linear.name).length > 1) continue;
    const joined = foldedInto(linear, norm, (shapes.get(linear.name) as number[]).length);
    if (joined) folded = bypass(replaceNode(folded, joined), norm.name, linear.name);
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
