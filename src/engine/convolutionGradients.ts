/**
 * Derivatives of convolutions, written as forward convolutions and matrix products, which every engine has and runs fast.
 *
 * A convolution with stride s, dilation d and p zeros before the input reads the input at i = s·o + d·t − p for output o and
 * tap t. Hence, along each spatial axis,
 *
 *     ∂/∂X[i]  = Σ_t U[i + p − d·t] · W[t],   U = ∂/∂Y with s − 1 zeros between its elements,
 *     ∂/∂W[t]  = Σ_o X[s·o + d·t − p] · ∂/∂Y[o].
 *
 * The first is a correlation of the padded U with the flipped kernel, dilated by d.
 */
import * as tf from '@tensorflow/tfjs-core';

/** Where a convolution reads its input, along [height, width]. */
export interface Geometry {
  stride: [number, number];
  dilation: [number, number];
  /** Zeros before the first row and column. */
  before: [number, number];
  /** Spatial sizes. */
  input: [number, number];
  output: [number, number];
  kernel: [number, number];
}

type Corner = [number, number, number, number];
type Pad = Parameters<typeof tf.backend_util.computeConv2DInfo>[4];

/** A convolution as tfjs's kernels are told of it. */
export interface ConvolutionAttributes {
  strides: number | [number, number];
  /** `same`, `valid`, a number of zeros, or zeros by axis and side. */
  pad: unknown;
  /** Null from a depthwise layer of tfjs-layers that names none. */
  dilations?: number | [number, number] | null;
  dataFormat?: 'NHWC' | 'NCHW';
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Both shapes in full, data in NHWC order; `depthwise` where the filter is [kh, kw, C, M]. */
export function geometryOf(
  inputShape: number[],
  filterShape: number[],
  {strides, dilations, pad, dimRoundingMode}: ConvolutionAttributes,
  depthwise = false,
): Geometry {
  const info = tf.backend_util.computeConv2DInfo(
    inputShape as Corner,
    filterShape as Corner,
    strides,
    dilations ?? 1,
    pad as Pad,
    dimRoundingMode,
    depthwise,
  );
  return {
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.top, info.padInfo.left],
    input: [info.inHeight, info.inWidth],
    output: [info.outHeight, info.outWidth],
    kernel: [info.filterHeight, info.filterWidth],
  };
}

/** Derivative with respect to the input, [B, H, W, Cin], of a convolution with `filter` [kh, kw, Cin, Cout]; `dy` [B, H', W', Cout]. */
export function convInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, geometry: Geometry): tf.Tensor4D {
  return tf.tidy(() => {
    const flipped = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D; // [kh, kw, Cout, Cin]
    // A 1×1 kernel commutes with the zeros between the elements, and there are fewer elements before they are put in.
    if (geometry.kernel.every((n) => n === 1)) return spread(tf.conv2d(dy, flipped, 1, 'valid'), geometry); // [B, H, W, Cin]
    return tf.conv2d(spread(dy, geometry), flipped, 1, 'valid', 'NHWC', geometry.dilation); // [B, H, W, Cin]
  });
}

/** The same for a depthwise convolution with `filter` [kh, kw, C, M]; `dy` [B, H', W', C·M]. */
export function depthwiseInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, geometry: Geometry): tf.Tensor4D {
  return tf.tidy(() => {
    const [kh, kw, channels, multiplier] = filter.shape;
    const flipped = tf.reshape(tf.reverse(filter, [0, 1]), [kh, kw, channels * multiplier, 1]) as tf.Tensor4D; // [kh, kw, C·M, 1]
    const each = tf.depthwiseConv2d(spread(dy, geometry), flipped, 1, 'valid', 'NHWC', geometry.dilation); // [B, H, W, C·M]
    if (multiplier === 1) return each;
    return tf.sum(tf.reshape(each, [dy.shape[0], ...geometry.input, channels, multiplier]), 4) as tf.Tensor4D; // [B, H, W, C]
  });
}

/** Derivative with respect to the kernel, [kh, kw, Cin, Cout], from the input `x` [B, H, W, Cin] and `dy` [B, H', W', Cout]. */
export function convFilterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, geometry: Geometry): tf.Tensor4D {
  return tf.tidy(() => {
    const rows = tf.reshape(dy, [-1, dy.shape[3]]); // [B·H'·W', Cout]
    const taps = tapWindows(x, geometry, 0, (window) => tf.matMul(tf.reshape(window, [-1, x.shape[3]]), rows, true)); // [Cin, Cout]
    return tf.reshape(tf.stack(taps), [...geometry.kernel, x.shape[3], dy.shape[3]]) as tf.Tensor4D; // [kh, kw, Cin, Cout]
  });
}

/** The same for a depthwise convolution, [kh, kw, C, M]; `dy` [B, H', W', C·M]. */
export function depthwiseFilterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, geometry: Geometry): tf.Tensor4D {
  return tf.tidy(() => {
    const channels = x.shape[3];
    const multiplier = dy.shape[3] / channels;
    const rows = tf.reshape(dy, [-1, channels, multiplier]); // [B·H'·W', C, M]
    const taps = tapWindows(x, geometry, 0, (window) => tf.sum(tf.mul(tf.reshape(window, [-1, channels, 1]), rows), 0)); // [C, M]
    return tf.reshape(tf.stack(taps), [...geometry.kernel, channels, multiplier]) as tf.Tensor4D; // [kh, kw, C, M]
  });
}

/**
 * Derivative of max pooling with respect to its input `x` [B, H, W, C], from its output `y` and `dy` [B, H', W', C]. Where
 * several inputs of a window are the greatest, the first takes it all.
 */
export function maxPoolGradient(dy: tf.Tensor4D, x: tf.Tensor4D, y: tf.Tensor4D, geometry: Geometry): tf.Tensor4D {
  return tf.tidy(() => {
    let unclaimed: tf.Tensor = tf.onesLike(y); // [B, H', W', C]
    const shares = tapWindows(x, geometry, -Infinity, (window, tap) => {
      const claimed = tf.mul(unclaimed, tf.cast(tf.equal(window, y), 'float32')); // [B, H', W', C]
      unclaimed = tf.sub(unclaimed, claimed);
      return placeTap(tf.mul(claimed, dy) as tf.Tensor4D, tap, geometry); // [B, H, W, C]
    });
    return tf.addN(shares) as tf.Tensor4D; // [B, H, W, C]
  });
}

/** Puts each output's value at the input that a tap visits, zeros elsewhere: [B, H', W', C] → [B, H, W, C]. */
function placeTap(dy: tf.Tensor4D, tap: [number, number], {stride, dilation, before, input}: Geometry): tf.Tensor4D {
  let placed = dy;
  for (const axis of [0, 1] as const) {
    placed = stuffZeros(placed, axis + 1, stride[axis]);
    const ahead = tap[axis] * dilation[axis] - before[axis];
    placed = padOrCrop(placed, axis + 1, ahead, input[axis] - ahead - placed.shape[axis + 1]!);
  }
  return placed;
}

/** U of the file's opening, padded or cropped so that a valid correlation with the kernel gives the input's size: [B, H + d·(kh − 1), …, C]. */
export function spread(dy: tf.Tensor4D, {stride, dilation, before, input, kernel}: Geometry): tf.Tensor4D {
  let u = dy;
  for (const axis of [0, 1] as const) {
    u = stuffZeros(u, axis + 1, stride[axis]);
    const reach = dilation[axis] * (kernel[axis] - 1);
    const ahead = reach - before[axis];
    u = padOrCrop(u, axis + 1, ahead, input[axis] + reach - ahead - u.shape[axis + 1]!);
  }
  return u;
}

/** Puts `stride − 1` zeros between the elements along an axis: n elements become (n − 1)·stride + 1. */
export function stuffZeros<T extends tf.Tensor>(x: T, axis: number, stride: number): T {
  if (stride === 1) return x;
  const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const length = x.shape[axis]!;
  const inner = x.size / outer / length;
  const apart = tf.pad(tf.reshape(x, [outer * length, 1, inner]), [
    [0, 0],
    [0, stride - 1],
    [0, 0],
  ]); // [outer·n, stride, inner]
  const shape = x.shape.slice();
  shape[axis] = length * stride;
  return padOrCrop(tf.reshape(apart, shape) as tf.Tensor as T, axis, 0, 1 - stride);
}

/** Puts `fill` before and after an axis; a negative count takes elements away. */
export function padOrCrop<T extends tf.Tensor>(x: T, axis: number, ahead: number, behind: number, fill = 0): T {
  let y: tf.Tensor = x;
  if (ahead < 0 || behind < 0) {
    const begin = x.shape.map(() => 0);
    const size = x.shape.slice();
    begin[axis] = Math.max(0, -ahead);
    size[axis] = x.shape[axis]! - Math.max(0, -ahead) - Math.max(0, -behind);
    y = tf.slice(x, begin, size);
  }
  if (ahead <= 0 && behind <= 0) return y as T;
  const widths = x.shape.map((): [number, number] => [0, 0]);
  widths[axis] = [Math.max(0, ahead), Math.max(0, behind)];
  return tf.pad(y, widths, fill) as T;
}

/** For each tap, row by row, what `reduce` makes of the inputs which that tap visits, [B, H', W', C]; `fill` outside the image. */
function tapWindows<T>(
  x: tf.Tensor4D,
  geometry: Geometry,
  fill: number,
  reduce: (window: tf.Tensor4D, tap: [number, number]) => T,
): T[] {
  const {stride, dilation, before, input, output, kernel} = geometry;
  let padded = x;
  for (const axis of [0, 1] as const) {
    const last = stride[axis] * (output[axis] - 1) + dilation[axis] * (kernel[axis] - 1) - before[axis];
    padded = padOrCrop(padded, axis + 1, before[axis], last + 1 - input[axis], fill);
  }
  const span = (axis: 0 | 1) => stride[axis] * (output[axis] - 1) + 1;
  const taps: T[] = [];
  for (let row = 0; row < kernel[0]; row++) {
    for (let column = 0; column < kernel[1]; column++) {
      const [top, left] = [row * dilation[0], column * dilation[1]];
      const end: Corner = [x.shape[0], top + span(0), left + span(1), x.shape[3]];
      taps.push(
        reduce(tf.stridedSlice(padded, [0, top, left, 0], end, [1, stride[0], stride[1], 1]) as tf.Tensor4D, [
          row,
          column,
        ]),
      );
    }
  }
  return taps;
}
