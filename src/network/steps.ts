import * as tf from '@tensorflow/tfjs-core';
import {convolve, turnedKernel} from '../engine/convolve';
import {batchNormAffine} from './fold';
import {weightOf, type GraphNode} from './graph';
import {affine, convolutionOf, operatorOf} from './operators';
import type {Piece} from './plan';

/** A piece of the network on the engine. */
export interface Step {
  /** The node whose value it gives. */
  readonly name: string;
  readonly inputs: readonly string[];
  /** Its node's weights on the engine; where batch norm was folded into them, changed by it. */
  readonly weights: Readonly<Record<string, tf.Tensor>>;
  run(inputs: tf.Tensor[]): tf.Tensor;
}

/** Steps with their weights, which `kept` collects for their disposal. */
export function uploadPieces(pieces: readonly Piece[], kept: tf.Tensor[]): Step[] {
  return pieces.filter(({node}) => node.operator !== 'InputLayer').map((piece) => upload(piece, kept));
}

function upload(piece: Piece, kept: tf.Tensor[]): Step {
  const {name, node, inputs} = piece;
  /** Outlives the tidy of whoever compiles or runs the network. */
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    kept.push(tf.keep(tensor));
    return tensor;
  };
  const weights = Object.fromEntries(node.weights.map(({name, shape, data}) => [name, keep(tf.tensor(data, shape))]));
  return {name, inputs, weights, run: computation(piece, weights, keep)};
}

type Keep = <T extends tf.Tensor>(tensor: T) => T;

function computation({node, activation}: Piece, weights: Record<string, tf.Tensor>, keep: Keep): Step['run'] {
  switch (node.operator) {
    case 'Conv2D':
    case 'DepthwiseConv2D': {
      const convolution = convolutionOf(node);
      const filter = weights['kernel'] as tf.Tensor4D;
      let kept: tf.Tensor4D | undefined;
      const turned = () => (kept ??= keep(turnedKernel(filter, convolution)));
      const options = {bias: weights['bias'], activation, turned};
      return ([x]) => convolve(x as tf.Tensor4D, filter, convolution, options);
    }
    case 'BatchNormalization': {
      const [scale, shift] = scaleAndShift(node).map((values) => keep(tf.tensor1d(values)));
      return ([x]) => affine(x!, scale!, shift!, node.args['axis'] as number);
    }
    default: {
      const {run} = operatorOf(node.operator);
      return (inputs) => run(node, inputs, weights);
    }
  }
}

function scaleAndShift(norm: GraphNode): Float32Array[] {
  const {scale, shift} = batchNormAffine(norm, weightOf(norm, 'moving_mean')!.shape[0]!);
  return [Float32Array.from(scale), Float32Array.from(shift)];
}
