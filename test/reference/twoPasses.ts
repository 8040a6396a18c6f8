import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {applyLayer, describeLayer, type LinearLayer} from '../../src/network/linearLayer';
import {nodeOf} from '../../src/network/graph';
import type {Model} from '../../src/network/types';

/**
 * Relevance as it is defined, slowly: for one image, the logit's gradient at the studied layer by running the rest of the network
 * (unfolded, layer by layer), then for each channel a second backward pass from Σ_hw Z_c to the layer's input.
 */
export interface SlowRelevance {
  /** R_c, [Cout] */
  relevance: number[];
  /** Σ_hw X_i · ∂(Σ_hw Z_c)/∂X_i, [Cout][Cin] */
  sourceRelevance: number[][];
}

/** Runs a network's layers one by one; `replace` stands in for a layer's linear output. */
export function runLayers(
  network: tfl.LayersModel,
  image: tf.Tensor,
  replace?: {layer: string; output: tf.Tensor},
): Map<string, tf.Tensor> {
  const outputs = new Map<string, tf.Tensor>();
  for (const layer of network.layers) {
    if (layer.getClassName() === 'InputLayer') {
      outputs.set(layer.name, image);
      continue;
    }
    const inbound = layer.inboundNodes[0].inboundLayers.map(({name}) => outputs.get(name) as tf.Tensor);
    if (replace?.layer === layer.name) {
      const activation = (layer.getConfig() as {activation: string}).activation;
      outputs.set(layer.name, activation === 'relu' ? tf.relu(replace.output) : replace.output);
    } else if (layer.name === 'logits') {
      const [kernel, bias] = layer.getWeights(); // before any softmax
      outputs.set(layer.name, tf.add(tf.matMul(inbound[0] as tf.Tensor2D, kernel as tf.Tensor2D), bias));
    } else {
      outputs.set(layer.name, layer.apply(inbound.length === 1 ? inbound[0] : inbound, {training: false}) as tf.Tensor);
    }
  }
  return outputs;
}

export function slowRelevance(model: Model, network: tfl.LayersModel, image: tf.Tensor4D, k: number): SlowRelevance {
  return tf.tidy(() => {
    const layer = describeLayer(nodeOf(model.graph, 'studied')) as LinearLayer;
    const kernel = tf.tensor4d(layer.kernel, layer.shape);
    const bias = layer.bias && tf.tensor1d(layer.bias);
    const reads = nodeOf(model.graph, 'studied').inputs[0];
    const input = runLayers(network, image).get(reads) as tf.Tensor;
    const shape = [1, ...(network.getLayer('studied').outputShape as number[]).slice(1)];
    const linear = (x: tf.Tensor) => tf.reshape(applyLayer(layer, x, kernel, bias), shape);
    const z = linear(input);
    const logit = (at: tf.Tensor) =>
      tf.sum(
        tf.slice(
          runLayers(network, image, {layer: 'studied', output: at}).get('logits') as tf.Tensor2D,
          [0, k],
          [1, 1],
        ),
      ) as tf.Scalar;
    const gradient = tf.grad(logit)(z);
    const channels = layer.shape[3];
    const perChannel = (tensor: tf.Tensor) =>
      Array.from(tf.sum(tf.reshape(tensor, [-1, tensor.shape[tensor.shape.length - 1] as number]), 0).dataSync());
    const sourceRelevance = Array.from({length: channels}, (_, c) => {
      const sumOfChannel = (x: tf.Tensor) =>
        tf.sum(tf.mul(linear(x), tf.cast(tf.oneHot(tf.scalar(c, 'int32'), channels), 'float32'))) as tf.Scalar;
      return perChannel(tf.mul(input, tf.grad(sumOfChannel)(input)));
    });
    return {relevance: perChannel(tf.mul(z, gradient)), sourceRelevance};
  });
}
