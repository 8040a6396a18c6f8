import * as tf from '@tensorflow/tfjs-core';
import {nodeOf, type Graph} from '../../src/network/graph';
import {compileGraph} from '../../src/network/run';

/** Largest difference between a network's logits and those expected, [B][K], each relative to the image's largest logit. */
export function logitError(graph: Graph, images: Float32Array, expected: readonly (readonly number[])[]): number {
  const network = compileGraph(graph);
  try {
    const inputShape = nodeOf(graph, graph.inputs[0]).args['shape'] as number[];
    const logits = tf.tidy(() => {
      const input = tf.tensor(images, [expected.length, ...inputShape]); // [B, H, W, C]
      return network.run(input)[graph.outputs[0]].arraySync() as number[][]; // [B, K]
    });
    const errors = expected.map((row, b) => {
      const largest = Math.max(...row.map(Math.abs));
      return Math.max(...row.map((logit, k) => Math.abs(logit - logits[b][k]))) / largest;
    });
    return Math.max(...errors);
  } finally {
    network.dispose();
  }
}
