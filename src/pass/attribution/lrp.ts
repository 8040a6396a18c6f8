import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../common/errors';
import {foldBatchNorm} from '../../network/fold';
import {nodeOf, type GraphNode} from '../../network/graph';
import type {NetworkAtLayer} from '../../network/networkAtLayer';
import {operatorOf} from '../../network/operators';
import {compileGraph} from '../../network/run';
import type {Attribution} from '../types';
import {checkPropagates, propagate} from './lrp/propagate';
import type {KernelLayer, LinearRule} from './lrp/rules';
import {numberFrom} from './parameters';

export const LRP_RULES = ['epsilon', 'gamma', 'zPlus', 'composite'] as const;

export interface LrpOptions {
  /**
   * `epsilon`, `gamma` and `zPlus` apply to every convolution and dense layer between the layer and the logits; `composite` is ε in dense layers and
   * z⁺ in convolutions (Kohlbrenner et al. 2020). @default the rule whose parameter is given, else `composite`
   */
  rule?: (typeof LRP_RULES)[number];
  /** ε, in the units of the layers' outputs. @default 1e-6 */
  epsilon?: number;
  /** γ. @default 0.25 */
  gamma?: number;
}

/**
 * Layer-wise relevance propagation (Bach et al. 2015) from each image's own logit back to the layer: R_c = Σ_hw R(Z_c). Batch norm behind the layer is
 * folded into the layers before it. Relevance is conserved but for what biases and ε take, and what passes the layer by on shortcuts; `zPlus` gives
 * biases nothing. Where there are only convolutions, dense layers, batch norm, ReLU, sums and pooling, `epsilon` with a small ε is activation × gradient.
 * @throws InputError for parameters out of range; when relevance is asked for, for an operator that has no rule
 */
export function lrp(options: LrpOptions = {}): Attribution {
  const {epsilon = 1e-6, gamma = 0.25} = options;
  const rule = options.rule ?? (options.gamma !== undefined ? 'gamma' : options.epsilon !== undefined ? 'epsilon' : 'composite'); // prettier-ignore
  if (!LRP_RULES.includes(rule))
    throw new InputError(`invalid rule of LRP: ${String(rule)}; give one of ${LRP_RULES.join(', ')}`);
  numberFrom(0, 'epsilon', epsilon);
  numberFrom(0, 'gamma', gamma);
  const ruleOf = ({operator}: GraphNode): LinearRule => {
    if (rule === 'composite') return {rule: operator === 'Dense' ? 'epsilon' : 'zPlus', epsilon};
    return {rule, epsilon, gamma};
  };
  return {
    name: `LRP (${rule}${rule === 'gamma' ? `, gamma ${gamma}` : ''}, epsilon ${epsilon})`,
    cost: 'a forward and a backward pass between the layer and the logits, with all values kept; `gamma` two of each, and twice that where inputs are negative',
    relevance: (batch) =>
      tf.tidy(() => {
        const {graph, run, kernelOf} = batch.network.once('lrp', () => headOnEngine(batch.network));
        const z = batch.output(); // [B, H', W', Cout]
        const {name} = batch.layer;
        const shape = nodeOf(graph, name).args.shape as number[];
        const [, ...passing] = graph.inputs;
        const given = Object.fromEntries(passing.map((input, n) => [input, batch.crossing()[n]]));
        const values = run({...given, [name]: tf.reshape(z, [z.shape[0], ...shape])});
        const logits = values[graph.outputs[0]];
        const own = tf.tensor(ownClass(batch.labels, logits.size), logits.shape);
        const found = propagate({graph, values, ruleOf, kernelOf}, tf.mul(logits, own));
        return tf.sum(tf.reshape(found[name], z.shape), [1, 2]) as tf.Tensor2D; // [B, Cout]
      }),
  };
}

/** 1 at each image's class, [B·K]. */
function ownClass(labels: Int32Array, size: number): Float32Array {
  const own = new Float32Array(size);
  labels.forEach((label, b) => (own[b * (size / labels.length) + label] = 1));
  return own;
}

/** What comes after the layer, with every value, and kernels with their positive and negative parts. */
function headOnEngine({headGraph, layer}: NetworkAtLayer) {
  checkPropagates(headGraph, layer.name);
  const graph = foldBatchNorm(headGraph);
  const compiled = compileGraph(graph, {outputs: graph.nodes.map(({name}) => name)});
  const parts = new Map<string, KernelLayer>();
  const kernelOf = (node: GraphNode): KernelLayer => {
    const known = parts.get(node.name);
    if (known) return known;
    const {kernel, bias} = compiled.weights.get(node.name)!;
    const made: KernelLayer = {
      apply: (x, filter, offset) =>
        operatorOf(node.operator).run(node, [x], {kernel: filter, ...(offset && {bias: offset})}),
      kernel,
      positive: tf.keep(tf.relu(kernel)),
      negative: tf.keep(tf.minimum(kernel, 0)),
      bias,
    };
    parts.set(node.name, made);
    return made;
  };
  return {
    graph,
    run: (inputs: Record<string, tf.Tensor>) => compiled.run(inputs),
    kernelOf,
    dispose() {
      compiled.dispose();
      parts.forEach(({positive, negative}) => tf.dispose([positive, negative]));
    },
  };
}
