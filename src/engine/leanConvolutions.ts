import * as tf from '@tensorflow/tfjs-core';

/** The members of tfjs-layers' Conv2D that its call reads; the class keeps some of them to itself. */
interface Conv2DLayer {
  getClassName(): string;
  call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[];
  readonly kernel: {read(): tf.Tensor4D};
  readonly bias: {read(): tf.Tensor1D} | null;
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dataFormat: 'channelsFirst' | 'channelsLast';
  readonly dilationRate: [number, number];
  readonly activation: {apply(x: tf.Tensor): tf.Tensor} | null;
}

/**
 * Makes the convolutions of a freshly built LayersModel fit for gradients. tfjs's Conv2D layer calls a fused operation whose
 * own gradient throws where a dilation is above 1, and computes the filter's gradient even where only the input's is wanted
 * (about half of the backward pass). These layers call the plain operation from now on, whose gradient is
 * `installGradients`' and computes what is wanted. Values are the same up to rounding; a forward pass alone is faster fused.
 * @param model a model that the caller owns: its layers' calls are replaced
 */
export function leanConvolutions(model: {readonly layers: readonly object[]}): void {
  for (const candidate of model.layers) {
    const layer = candidate as Conv2DLayer;
    if (layer.getClassName() !== 'Conv2D' || layer.dataFormat === 'channelsFirst') continue;
    layer.call = (inputs) =>
      tf.tidy(() => {
        const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D; // [B, H, W, Cin]
        const {strides, padding, dilationRate} = layer;
        const z = tf.conv2d(x, layer.kernel.read(), strides, padding, 'NHWC', dilationRate); // [B, H', W', Cout]
        const biased = layer.bias ? tf.add(z, layer.bias.read()) : z; // [B, H', W', Cout]
        return layer.activation ? layer.activation.apply(biased) : biased;
      });
  }
}
