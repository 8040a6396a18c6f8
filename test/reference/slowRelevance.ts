import * as tf from '@tensorflow/tfjs-core';
import type {Graph, GraphNode} from '../../src/network/graph';
import {operatorOf} from '../../src/network/operators';
import type {SlowRelevance} from './twoPasses';

/**
 * Relevance as it is defined, of any graph: the operators one by one, nothing folded or fused; one image's logit is differentiated at the
 * layer's output, and Σ_hw Z_c at its input.
 */
export function slowRelevanceOf(graph: Graph, layerName: string, image: tf.Tensor4D, k: number): SlowRelevance {
  return tf.tidy(() => {
    const run = runner(graph);
    const layer = graph.nodes.find(({name}) => name === layerName) as GraphNode;
    const input = run.all(image).get(layer.inputs[0]) as tf.Tensor;
    const linear = (x: tf.Tensor) => run.one(layer, [x]);
    const z = linear(input);
    const end = graph.outputs[0];
    const logit = (at: tf.Tensor) => {
      const logits = run.all(image, {layer: layerName, output: at}).get(end) as tf.Tensor;
      return tf.sum(tf.slice(tf.reshape(logits, [-1]), [k], [1])) as tf.Scalar;
    };
    const gradient = tf.grad(logit)(z);
    const channels = z.shape[z.shape.length - 1];
    const perChannel = (tensor: tf.Tensor) =>
      Array.from(tf.sum(tf.reshape(tensor, [-1, tensor.shape[tensor.shape.length - 1]]), 0).dataSync());
    const sourceRelevance = Array.from({length: channels}, (_, c) => {
      const only = tf.cast(tf.oneHot(tf.scalar(c, 'int32'), channels), 'float32');
      const sumOfChannel = (x: tf.Tensor) => tf.sum(tf.mul(linear(x), only)) as tf.Scalar;
      return perChannel(tf.mul(input, tf.grad(sumOfChannel)(input)));
    });
    return {relevance: perChannel(tf.mul(z, gradient)), sourceRelevance};
  });
}

function runner(graph: Graph) {
  // Made before any gradient is recorded, whose scope would dispose of them.
  const weights = new Map(
    graph.nodes.map((node) => [
      node.name,
      Object.fromEntries(node.weights.map(({name, shape, data}) => [name, tf.tensor(data, shape)])),
    ]),
  );
  const one = (node: GraphNode, inputs: tf.Tensor[]) =>
    operatorOf(node.operator).run(node, inputs, weights.get(node.name) as Record<string, tf.Tensor>);
  const all = (image: tf.Tensor, replace?: {layer: string; output: tf.Tensor}) => {
    const values = new Map<string, tf.Tensor>([[graph.inputs[0], image]]);
    for (const node of graph.nodes) {
      if (values.has(node.name)) continue;
      const inputs = node.inputs.map((name) => values.get(name) as tf.Tensor);
      values.set(node.name, replace?.layer === node.name ? replace.output : one(node, inputs));
    }
    return values;
  };
  return {one, all};
}
