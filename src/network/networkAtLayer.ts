import * as tf from '@tensorflow/tfjs-core';
import {convolve} from '../engine/convolve';
import {cutAt} from './cut';
import {nodeOf, weightOf, type Graph, type Weight} from './graph';
import {applyLayer, linearLayer, type LinearLayer} from './linearLayer';
import {logitsGraph} from './logits';
import {compileGraph} from './run';
import type {Model} from './types';

/** The layer's input X and the tensors that pass it by; the caller disposes of them. */
export interface TrunkOutput {
  /** X, [B, H, W, Cin] or [B, Cin] */
  input: tf.Tensor;
  crossing: tf.Tensor[];
}

/**
 * A model taken apart at its layer of interest, on the engine: image → X → Z → logits. Batch norm is folded into layers of the trunk
 * and of the head, never into the layer itself, so that Z is the layer's own linear output.
 */
export interface NetworkAtLayer {
  readonly layer: LinearLayer;
  /** W, [kh, kw, Cin / groups, Cout] */
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
  /** What comes after Z, for what goes through it node by node: it reads Z, named as the layer, then the crossing tensors. */
  readonly headGraph: Graph;
  /** Something made for this network at its first use, and freed with it. */
  once<T extends {dispose(): void}>(key: string, make: () => T): T;
  dispose(): void;
}

/** @throws InputError for a layer that the model lacks or that cannot be analysed */
export function networkAtLayer(model: Model, layerName: string): NetworkAtLayer {
  const layer = linearLayer(model.graph, layerName);
  const {trunk, head, crossing} = cutAt(logitsGraph(model.graph), layerName);
  const ends = trunk.outputs;
  // Weights are uploaded when they are first needed: a pass over several layers has one copy of its own.
  const trunkRun = isIdentity(trunk) ? undefined : lazily(() => compileGraph(trunk));
  const headRun = isIdentity(head) ? undefined : lazily(() => compileGraph(head, {taps: [layerName]}));
  const headShape = nodeOf(head, layerName).args.shape as number[];
  // Variables, since a tensor made inside a caller's tidy would be disposed of with it.
  const own = weightOf(nodeOf(model.graph, layerName), 'kernel') as Weight;
  const shape: LinearLayer['shape'] = [layer.shape[0], layer.shape[1], layer.shape[2] / layer.groups, layer.shape[3]];
  const kernel = tf.tidy(() => tf.variable(tf.tensor4d(own.data, shape), false));
  const bias = layer.bias && tf.tidy(() => tf.variable(tf.tensor1d(layer.bias as Float32Array), false));
  const made = new Map<string, {dispose(): void}>();
  const headInputs = (z: tf.Tensor4D, passing: tf.Tensor[]) => ({
    ...Object.fromEntries(crossing.map((name, n) => [name, passing[n]])),
    [layerName]: inShape(z, [z.shape[0], ...headShape]),
  });
  const network: NetworkAtLayer = {
    layer,
    headGraph: head,
    once<T extends {dispose(): void}>(key: string, make: () => T) {
      const known = made.get(key) ?? make();
      made.set(key, known);
      return known as T;
    },
    kernel,
    bias,
    trunk(images) {
      const found = trunkRun ? trunkRun.get().run(images) : {[ends[0]]: tf.clone(images)};
      // A shortcut from X itself is another handle on the same values, so that each can be disposed of by itself.
      const passing = crossing.map((name) => (name === ends[0] ? tf.clone(found[name]) : found[name]));
      return {input: found[ends[0]], crossing: passing};
    },
    linear(input) {
      if (layer.groups === 1) return applyLayer(layer, input, kernel, bias);
      const {strides, padding, dilation, groups} = layer;
      return convolve(input as tf.Tensor4D, kernel, {depthwise: false, strides, padding, dilation, groups}, {bias});
    },
    head(z, passing) {
      return tf.tidy(() => {
        const shape: [number, number] = [z.shape[0], model.classes];
        if (!headRun) return tf.reshape(z, shape); // [B, K]
        return inShape(headRun.get().run(headInputs(z, passing))[head.outputs[0]], shape) as tf.Tensor2D; // [B, K]
      });
    },
    headGradient(z, passing, labels) {
      return tf.tidy(() => {
        if (!headRun) {
          const target = Float32Array.from({length: z.size}, (_, at) =>
            Number(labels[Math.floor(at / model.classes)] === at % model.classes),
          );
          return {logits: network.head(z, passing), gradient: tf.tensor4d(target, z.shape)};
        }
        const {outputs, taps} = headRun.get().runWithGradients(headInputs(z, passing), {labels});
        return {
          logits: inShape(outputs[head.outputs[0]], [z.shape[0], model.classes]) as tf.Tensor2D,
          gradient: inShape(taps[layerName].gradient, z.shape) as tf.Tensor4D,
        };
      });
    },
    dispose() {
      trunkRun?.dispose();
      headRun?.dispose();
      kernel.dispose();
      bias?.dispose();
      made.forEach((one) => one.dispose());
      made.clear();
    },
  };
  return network;
}

/** The tensor in that shape: native TensorFlow takes a call of the engine for it even where it has it already. */
function inShape(tensor: tf.Tensor, shape: number[]): tf.Tensor {
  return tf.util.arraysEqual(tensor.shape, shape) ? tensor : tf.reshape(tensor, shape);
}

/** Made at its first use. */
function lazily<T extends {dispose(): void}>(make: () => T): {get(): T; dispose(): void} {
  let made: T | undefined;
  return {get: () => (made ??= make()), dispose: () => made?.dispose()};
}

/** A graph that hands its input on: the part before a network's first layer, or after its last. */
function isIdentity(graph: Graph): boolean {
  return graph.nodes.every((node) => node.operator === 'InputLayer' || node.operator === 'Constant');
}
