/**
 * Gradients of operations that resample each axis by a fixed matrix, y = M x: mirrored padding and bilinear resizing. Their
 * gradient is Mᵀ along each axis. tfjs's own drops what the mirrored border hands back, and ignores `halfPixelCenters`.
 */
import * as tf from '@tensorflow/tfjs-core';

/** One axis of a resampling: for each output position, the inputs it reads and with which weight. */
type AxisMap = (output: number) => [input: number, weight: number][];

/** Mᵀ, [inputs, outputs]. */
function transposedMatrix(inputs: number, outputs: number, map: AxisMap): tf.Tensor3D {
  const matrix = new Float32Array(inputs * outputs);
  for (let o = 0; o < outputs; o++) {
    for (const [i, weight] of map(o)) matrix[i * outputs + o]! += weight;
  }
  return tf.tensor3d(matrix, [1, inputs, outputs]);
}

/** Applies Mᵀ along an axis of dy, whose size goes from `outputs` back to `inputs`. */
function pullBack(dy: tf.Tensor, axis: number, inputs: number, map: AxisMap): tf.Tensor {
  const outputs = dy.shape[axis]!;
  const outer = dy.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const rows = tf.reshape(dy, [outer, outputs, -1]); // [outer, outputs, inner]
  const sums = tf.matMul(transposedMatrix(inputs, outputs, map), rows); // [outer, inputs, inner]
  return tf.reshape(sums, [...dy.shape.slice(0, axis), inputs, ...dy.shape.slice(axis + 1)]);
}

export const mirrorPadGradient: tf.GradConfig = {
  kernelName: tf.MirrorPad,
  inputsToSave: ['x'],
  gradFunc(dy, [x], attrs) {
    const {paddings, mode} = attrs as unknown as {paddings: [number, number][]; mode: 'reflect' | 'symmetric'};
    const offset = mode === 'reflect' ? 0 : 1;
    const pull = (gradient: tf.Tensor, [before, after]: [number, number], axis: number) => {
      if (before === 0 && after === 0) return gradient;
      const size = x!.shape[axis]!;
      return pullBack(gradient, axis, size, (o) => {
        const i = o - before;
        if (i < 0) return [[-i - offset, 1]];
        return [[i < size ? i : 2 * (size - 1) - i + offset, 1]];
      });
    };
    return {x: () => tf.tidy(() => paddings.reduce(pull, dy as tf.Tensor))};
  },
};

export const resizeBilinearGradient: tf.GradConfig = {
  kernelName: tf.ResizeBilinear,
  inputsToSave: ['images'],
  gradFunc(dy, [images], attrs) {
    const {alignCorners, halfPixelCenters} = attrs as unknown as {alignCorners: boolean; halfPixelCenters: boolean};
    const pull = (gradient: tf.Tensor, axis: number) => {
      const [inputs, outputs] = [images!.shape[axis]!, gradient.shape[axis]!];
      const scale = alignCorners && outputs > 1 ? (inputs - 1) / (outputs - 1) : inputs / outputs;
      return pullBack(gradient, axis, inputs, (o) => {
        const position = halfPixelCenters ? (o + 0.5) * scale - 0.5 : o * scale;
        const below = Math.floor(position);
        return [
          [Math.max(below, 0), 1 - (position - below)],
          [Math.min(below + 1, inputs - 1), position - below],
        ];
      });
    };
    return {images: () => tf.tidy(() => [1, 2].reduce(pull, dy as tf.Tensor))};
  },
};
