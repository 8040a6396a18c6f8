import * as tf from '@tensorflow/tfjs-core';
import {leanConvolutions} from '../engine';
import {cutAt} from './cut';
import {foldBatchNorm, fuseActivations, stripSoftmax} from './fold';
import type {Graph} from './graph';
import {toLayersModel} from './layersModel';
import {applyLayer, linearLayer, type LinearLayer} from './linearLayer';
import type {Model} from './types';

/** The layer's input X and the tensors that pass it by; the caller disposes of them. */
export interface TrunkOutput {
  /** X, [B, H, W, Cin] or [B, Cin] */
  input: tf.Tensor;
  crossing: tf.Tensor[];
}

/**
 * A model taken apart at its layer of interest, on the engine: image → X → Z → logits. Batch norm is folded into the trunk and
 * into the head's later layers, never into the layer itself, so that Z is the layer's own linear output.
 */
export interface NetworkAtLayer {
  readonly layer: LinearLayer;
  /** W, [kh, kw, Cin, Cout] */
  readonly kernel: tf.Tensor4D;
  readonly bias: tf.Tensor1D | undefined;
  /** @param images [B, H, W, C], preprocessed */
  trunk(images: tf.Tensor4D): TrunkOutput;
  /** Z, [B, H', W', Cout] ([B, 1, 1, Cout] of a dense layer) */
  linear(input: tf.Tensor): tf.Tensor4D;
  /** Logits, [B, K], from Z as `linear` gives it. */
  head(z: tf.Tensor4D, crossing: tf.Tensor[]): tf.Tensor2D;
  /** Logits and ∂y_k/∂Z, shaped as Z, for each image's own class k. */
  headGradient(z: tf.Tensor4D, crossing: tf.Tensor[], labels: Int32Array): {logits: tf.Tensor2D; gradient: tf.Tensor4D};
  dispose(): void;
}

/** @throws InputError for a layer that the model lacks or that cannot be analysed */
export function networkAtLayer(model: Model, layerName: string): NetworkAtLayer {
  const layer = linearLayer(model.graph, layerName);
  const folded = foldBatchNorm(stripSoftmax(model.graph), [layerName]);
  const {trunk, head, crossing} = cutAt(folded, layerName);
  const ends = trunk.outputs;
  const trunkModel = isIdentity(trunk) ? undefined : toLayersModel(fuseActivations(trunk));
  const headModel = isIdentity(head) ? undefined : toLayersModel(head);
  if (headModel) leanConvolutions(headModel);
  // Variables, since a tensor made inside a caller's tidy would be disposed of with it.
  const kernel = tf.tidy(() => tf.variable(tf.tensor4d(layer.kernel, layer.shape), false));
  const bias = layer.bias && tf.tidy(() => tf.variable(tf.tensor1d(layer.bias as Float32Array), false));
  const network: NetworkAtLayer = {
    layer,
    kernel,
    bias,
    trunk(images) {
      const tensors = tf.tidy(() => {
        if (!trunkModel) return [tf.clone(images) as tf.Tensor];
        const outputs = trunkModel.apply(images, {training: false}) as tf.Tensor | tf.Tensor[];
        return Array.isArray(outputs) ? outputs : [outputs];
      });
      // A shortcut from X itself is another handle on the same values, so that each can be disposed of by itself.
      const passing = crossing.map((name) => (name === ends[0] ? tf.clone(tensors[0]) : tensors[ends.indexOf(name)]));
      return {input: tensors[0], crossing: passing};
    },
    linear: (input) => applyLayer(layer, input, kernel, bias),
    head(z, passing) {
      return tf.tidy(() => {
        if (!headModel) return tf.reshape(z, [z.shape[0], model.classes]);
        const shape = headModel.inputs[0].shape.slice(1) as number[];
        const inputs = [tf.reshape(z, [z.shape[0], ...shape]), ...passing];
        const output = headModel.apply(inputs.length === 1 ? inputs[0] : inputs, {training: false}) as tf.Tensor;
        return tf.reshape(output, [z.shape[0], model.classes]); // [B, K]
      });
    },
    headGradient(z, passing, labels) {
      return tf.tidy(() => {
        // wasm has no gradient of gather, so a one-hot product selects the logit of each image's class; and its one-hot of
        // float32 holds integers' bits, hence the cast.
        const target = tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), model.classes), 'float32'); // [B, K]
        let logits: tf.Tensor2D | undefined;
        const targetLogits = (at: tf.Tensor) => {
          logits = tf.keep(network.head(at as tf.Tensor4D, passing));
          return tf.sum(tf.mul(logits, target)) as tf.Scalar;
        };
        const gradient = tf.grad(targetLogits)(z) as tf.Tensor4D; // [B, H', W', Cout]
        const kept = logits as unknown as tf.Tensor2D;
        const result = {logits: tf.clone(kept), gradient};
        kept.dispose();
        return result;
      });
    },
    dispose() {
      trunkModel?.dispose();
      headModel?.dispose();
      kernel.dispose();
      bias?.dispose();
    },
  };
  return network;
}

/** A graph that hands its input on: the part before a network's first layer, or after its last. */
function isIdentity(graph: Graph): boolean {
  return graph.nodes.every((node) => node.operator === 'InputLayer');
}
