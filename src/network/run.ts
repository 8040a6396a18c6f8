import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {Graph} from './graph';
import {planGraph} from './plan';
import {gradientsAt, type GradientOptions, type Gradients} from './gradients';
import {compute, divideAt, withLastUses, type Values} from './program';
import {uploadPieces} from './steps';

export interface CompileOptions {
  /** Nodes whose values are wanted; default the graph's outputs. */
  outputs?: readonly string[];
  /** Further nodes whose values, and gradients, are wanted. */
  taps?: readonly string[];
}

/** The graph's inputs by name, or the tensor of its one input; with the batch axis first. */
export type GraphInputs = tf.Tensor | Readonly<Record<string, tf.Tensor>>;

export type {GradientOptions, Gradients};

/** A graph on the engine. */
export interface Compiled {
  /** Names of the graph's inputs that its outputs and taps need. */
  readonly inputs: readonly string[];
  /**
   * The weights of each node on the engine, by names of node and weight. They are the node's own where its value and that of the node after it were
   * asked for; else batch norm may be folded into them. Not to be disposed of.
   */
  readonly weights: ReadonlyMap<string, Readonly<Record<string, tf.Tensor>>>;
  /**
   * The values of the asked outputs and taps, by name. They can be differentiated by the inputs. The caller disposes of them.
   * @throws InputError for an input that is missing
   */
  run(inputs: GraphInputs): Record<string, tf.Tensor>;
  /**
   * One forward and one backward pass: the outputs, and value and gradient at each tap. The backward pass ends at the taps; the part of the network
   * before the first of them runs without being recorded. The caller disposes of all tensors.
   * @throws InputError for a tap that the graph was not compiled with, or that the first output does not depend on
   */
  runWithGradients(inputs: GraphInputs, options: GradientOptions): Gradients;
  /** Frees the weights. */
  dispose(): void;
}

/**
 * Puts a graph on the engine: weights are uploaded once; batch norm is folded, bias and activation computed together with their convolution
 * where neither outputs nor taps ask for the parts; each value is freed at its last use. Any nodes can be outputs and taps. All of a graph's nodes
 * as outputs give all values, each by its own operator.
 *
 * A graph with several inputs takes a record of tensors, so that the part of a network after a cut runs from any tensors.
 * @throws InputError for a node that the graph lacks
 */
export function compileGraph(graph: Graph, {outputs = graph.outputs, taps = []}: CompileOptions = {}): Compiled {
  const wanted = [...new Set([...outputs, ...taps])];
  const pieces = planGraph(graph, wanted);
  const kept: tf.Tensor[] = [];
  const steps = uploadPieces(pieces, kept);
  const inputs = pieces.filter(({node}) => node.operator === 'InputLayer').map(({name}) => name);
  const stays = new Set([...wanted, ...inputs]);
  const whole = withLastUses(steps, stays);
  const dividedAtTaps = taps.length > 0 ? divideAt(taps, outputs[0]!, steps, stays) : undefined;
  return {
    inputs,
    weights: new Map(steps.map(({name, weights}) => [name, weights])),
    run(given) {
      return tf.tidy(() => {
        const values = inputValues(given, inputs);
        compute(whole, values);
        const result = (name: string) => (inputs.includes(name) ? tf.clone(values.get(name)!) : values.get(name)!);
        return Object.fromEntries(wanted.map((name) => [name, result(name)]));
      });
    },
    runWithGradients(given, options) {
      const asked = [...new Set(options.taps ?? taps)];
      const unknown = asked.find((tap) => !wanted.includes(tap));
      if (unknown !== undefined || asked.length === 0) {
        throw new InputError(
          `${asked.length === 0 ? 'no tap is named' : `"${unknown}" is no tap`}; the network was compiled for ${wanted.join(', ')}`,
        );
      }
      const divided = options.taps || !dividedAtTaps ? divideAt(asked, outputs[0]!, steps, stays) : dividedAtTaps;
      return gradientsAt(asked, outputs, divided, inputValues(given, inputs), options);
    },
    dispose() {
      kept.forEach((tensor) => tensor.dispose());
      kept.length = 0;
    },
  };
}

function inputValues(given: GraphInputs, inputs: readonly string[]): Values {
  const named: Readonly<Record<string, tf.Tensor>> =
    given instanceof tf.Tensor ? (inputs.length === 1 ? {[inputs[0]!]: given} : {}) : given;
  const missing = inputs.filter((name) => !named[name]);
  if (missing.length > 0) {
    throw new InputError(`the network's inputs are ${inputs.join(', ')}; ${missing.join(', ')} is missing`);
  }
  return new Map(inputs.map((name) => [name, named[name]!]));
}
