import * as tf from '@tensorflow/tfjs-core';
import type {Graph} from '../../src/network/graph';
import {operatorOf} from '../../src/network/operators';

/** Values of a graph's outputs for a batch, node by node: no folding, no fusing, nothing freed before the end. */
export function graphValues(graph: Graph, input: tf.Tensor): tf.Tensor[] {
  return tf.tidy(() => {
    const values = new Map<string, tf.Tensor>([[graph.inputs[0], input]]);
    for (const node of graph.nodes) {
      if (values.has(node.name)) continue;
      const weights = Object.fromEntries(
        node.weights.map(({name, shape, data}) => [name, tf.tensor(data, shape, 'float32')]),
      );
      const inputs = node.inputs.map((name) => values.get(name) as tf.Tensor);
      values.set(node.name, operatorOf(node.operator).run(node, inputs, weights));
    }
    return graph.outputs.map((name) => values.get(name) as tf.Tensor);
  });
}
