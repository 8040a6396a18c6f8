import type * as tf from '@tensorflow/tfjs-core';
import type {Preset} from '../images/types';
import type {Graph} from './graph';

/** A layer that can be analysed: a convolution or a dense layer. */
export interface LayerInfo {
  name: string;
  kind: 'conv' | 'dense';
  /** [kh, kw, Cin, Cout]; a dense layer counts as 1×1. */
  kernel: [number, number, number, number];
  /** Output without the batch axis: [H', W', Cout] or [Cout]. */
  output: number[];
  bias: boolean;
}

/** A network with one image input and K logits. Its graph is complete (a trailing softmax included) and never changed. */
export interface Model {
  readonly name: string;
  readonly graph: Graph;
  /** SHA-256 of topology and weights, hexadecimal. */
  readonly hash: string;
  /** [H, W, C] */
  readonly inputShape: readonly [number, number, number];
  /** K, the number of logits. */
  readonly classes: number;
  /** Architecture that a checkpoint was loaded as. */
  readonly arch?: string;
  /** The preprocessing that the network was trained with, where known. */
  readonly preset?: Preset;
  readonly classNames?: readonly string[];
  /** Hashes of the models that this one was split from, oldest first; statistics of these fit it too. */
  readonly origins: readonly string[];
  /** Folder or file that it, or the model that it was made from, was loaded from: nothing is written there. */
  readonly source?: string;
  /** Layers that can be analysed, input to output: no depthwise convolutions, and none with both strides and dilation above 1. */
  layers(): LayerInfo[];
  /** Logits before softmax, [B, K], of preprocessed images [B, H, W, C]. The caller disposes of them. */
  logits(images: tf.Tensor4D): tf.Tensor2D;
  dispose(): void;
  toString(): string;
}
