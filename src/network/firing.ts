import {consumersOf, nodeOf, weightOf, type Graph, type GraphNode} from './graph';
import {linearLayer} from './linearLayer';

/** Where a layer's channels fire: Z_c is on the side of a threshold that what follows lets through. */
export interface Firing {
  /** 1 where a channel fires above its threshold, −1 where it fires below, [Cout]. */
  sign: Float32Array;
  /** [Cout] */
  threshold: Float32Array;
}

/**
 * A channel fires where sign·(Z_c − threshold) > 0: where a batch norm follows, directly or behind a merge, where its output is above 0,
 * so that a negative γ turns the side round; else where Z_c is above 0. That is what a ReLU, the usual next layer, lets through.
 */
export function firing(graph: Graph, layerName: string): Firing {
  const outputs = linearLayer(graph, layerName).shape[3];
  const sign = new Float32Array(outputs).fill(1);
  const threshold = new Float32Array(outputs);
  const norm = normBehind(graph, layerName);
  if (!norm) return {sign, threshold};
  const of = (name: string) => weightOf(norm, name)?.data;
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map(of);
  const epsilon = (norm.args.epsilon as number | undefined) ?? 1e-3;
  for (let c = 0; c < outputs; c++) {
    const scale = gamma?.[c] ?? 1;
    if (scale < 0) sign[c] = -1;
    const deviation = Math.sqrt((variance?.[c] ?? 1) + epsilon);
    // A channel that the norm multiplies by 0 has no threshold; it counts from its mean on.
    threshold[c] = (mean?.[c] ?? 0) - (scale === 0 ? 0 : ((beta?.[c] ?? 0) * deviation) / scale);
  }
  return {sign, threshold};
}

/** The batch norm over channels that reads the layer, directly or behind the sum of its parts. */
function normBehind(graph: Graph, name: string): GraphNode | undefined {
  const dense = nodeOf(graph, name).operator === 'Dense';
  for (const node of consumersOf(graph, name)) {
    if (node.mark?.kind === 'merge') return normBehind(graph, node.name);
    if (node.operator === 'BatchNormalization' && (dense || node.args.axis === 3)) return node;
  }
  return undefined;
}
