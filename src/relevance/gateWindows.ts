import * as tf from '@tensorflow/tfjs-core';
import {asPositions, windowsOf, type LinearLayer} from '../network/linearLayer';

/** What a layer's taps read of its input, on the engine. */

/** What each tap reads at every output position, [B, P, Cin] each; zeros where it falls on padding. */
export function tapInputs(layer: LinearLayer, input: tf.Tensor): tf.Tensor3D[] {
  const x = asPositions(input); // [B, H, W, Cin]
  const [batch, , , channels] = x.shape;
  const {strides, dilation, shape} = layer;
  const [rows, columns] = spans(layer, x);
  const all = padded(x, rows, columns);
  const tapsAlong = (axis: 0 | 1) => Array.from({length: shape[axis]}, (_, tap) => tap * dilation[axis]);
  return tapsAlong(0).flatMap((top) =>
    tapsAlong(1).map((left) => {
      const from = [0, top, left, 0];
      const size = [batch, rows.seen, columns.seen, channels];
      const to = from.map((start, axis) => start + size[axis]);
      const whole = size.every((length, axis) => length === all.shape[axis]);
      const seen = whole
        ? all
        : strides.every((stride) => stride === 1)
          ? tf.slice(all, from, size)
          : tf.stridedSlice(all, from, to, [1, ...strides, 1]);
      return tf.reshape(seen, [batch, rows.output * columns.output, channels]) as tf.Tensor3D;
    }),
  );
}

/** Along an axis: positions of the output, how far they reach, and what a tap sees of padding before and after the input. */
interface Span {
  output: number;
  seen: number;
  before: number;
  after: number;
}

export function spans(layer: LinearLayer, x: tf.Tensor4D): [rows: Span, columns: Span] {
  const {strides, dilation, shape} = layer;
  return ([0, 1] as const).map((axis) => {
    const size = x.shape[1 + axis];
    const {output, before} = windowsOf(layer, axis, size);
    const seen = (output - 1) * strides[axis] + 1;
    return {output, seen, before, after: Math.max(0, seen + (shape[axis] - 1) * dilation[axis] - before - size)};
  }) as [Span, Span];
}

export function padded(x: tf.Tensor4D, rows: Span, columns: Span): tf.Tensor4D {
  if ([rows.before, rows.after, columns.before, columns.after].every((n) => n === 0)) return x;
  const pads: [number, number][] = [rows, columns].map(({before, after}) => [before, after]);
  return tf.pad(x, [[0, 0], ...pads, [0, 0]]);
}
