import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {Graph, GraphNode} from './graph';
import {operatorOf} from './operators';

export interface CompileOptions {
  /** Nodes whose values are wanted; default the graph's outputs. */
  outputs?: readonly string[];
  /** Further nodes whose values, and gradients, are wanted. */
  taps?: readonly string[];
}

/** The graph's inputs by name, or the tensor of its one input; with the batch axis first. */
export type GraphInputs = tf.Tensor | Readonly<Record<string, tf.Tensor>>;

/** A graph on the engine. */
export interface Compiled {
  /**
   * The values of the asked outputs and taps, by name. The caller disposes of them. The outputs can be differentiated by the inputs.
   * @throws InputError for an input that is missing
   */
  run(inputs: GraphInputs): Record<string, tf.Tensor>;
  /** Frees the weights. */
  dispose(): void;
}

/** A node with its weights on the engine. */
interface Step {
  node: GraphNode;
  run(inputs: tf.Tensor[]): tf.Tensor;
  /** Values that nothing reads after this step. */
  last: string[];
}

/**
 * Puts a graph on the engine: its weights are uploaded once, each value is freed at its last use.
 * @throws InputError for a node that the graph lacks
 */
export function compileGraph(graph: Graph, {outputs = graph.outputs, taps = []}: CompileOptions = {}): Compiled {
  const wanted = [...new Set([...outputs, ...taps])];
  const nodes = needed(graph, wanted);
  const kept: tf.Variable[] = [];
  const steps = withLastUses(
    nodes.filter(({operator}) => operator !== 'InputLayer').map((node) => upload(node, kept)),
    wanted,
  );
  const inputs = nodes.filter(({operator}) => operator === 'InputLayer').map(({name}) => name);
  return {
    run(given) {
      const values = new Map<string, tf.Tensor>();
      return tf.tidy(() => {
        const named = inputsByName(given, inputs);
        for (const name of inputs) values.set(name, wanted.includes(name) ? tf.clone(named[name]!) : named[name]!);
        for (const {node, run, last} of steps) {
          values.set(node.name, run(node.inputs.map((name) => values.get(name)!)));
          for (const name of last) {
            if (!inputs.includes(name)) values.get(name)!.dispose();
            values.delete(name);
          }
        }
        return Object.fromEntries(wanted.map((name) => [name, values.get(name)!]));
      });
    },
    dispose: () => kept.forEach((tensor) => tensor.dispose()),
  };
}

/** The nodes that these ones depend on, in order. */
function needed(graph: Graph, wanted: readonly string[]): GraphNode[] {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const reached = new Set(wanted);
  // A set hands out what is added to it on the way.
  for (const name of reached) {
    const node = byName.get(name);
    if (!node) throw new InputError(`no node "${name}" in the network`);
    node.inputs.forEach((input) => reached.add(input));
  }
  return graph.nodes.filter(({name}) => reached.has(name));
}

function upload(node: GraphNode, kept: tf.Variable[]): Step {
  const {run} = operatorOf(node.operator);
  // Variables, since a tensor made inside a caller's tidy would be disposed of with it.
  const weights = Object.fromEntries(
    node.weights.map(({name, shape, data}) => [name, tf.tidy(() => tf.variable(tf.tensor(data, shape), false))]),
  );
  kept.push(...Object.values(weights));
  return {node, run: (inputs) => run(node, inputs, weights), last: []};
}

function withLastUses(steps: Step[], wanted: readonly string[]): Step[] {
  const reader = new Map<string, Step>();
  for (const step of steps) for (const input of step.node.inputs) reader.set(input, step);
  for (const [name, step] of reader) if (!wanted.includes(name)) step.last.push(name);
  return steps;
}

function inputsByName(given: GraphInputs, inputs: readonly string[]): Readonly<Record<string, tf.Tensor>> {
  const named: Readonly<Record<string, tf.Tensor>> =
    given instanceof tf.Tensor ? (inputs.length === 1 ? {[inputs[0]!]: given} : {}) : given;
  const missing = inputs.filter((name) => !named[name]);
  if (missing.length > 0)
    throw new InputError(`the network's inputs are ${inputs.join(', ')}; ${missing[0]} is missing`);
  return named;
}
