/** Where a window (a convolution's kernel, a pooling's) stands on its input, along one axis or along [height, width]. */

export type Pair = [number, number];
/** `same` and `valid` as TensorFlow defines them, else the amounts before and after each axis, [[top, bottom], [left, right]]. */
export type Padding = 'same' | 'valid' | [Pair, Pair];

export interface Windows {
  size: Pair;
  strides: Pair;
  dilation: Pair;
  padding: Padding;
  /** Whether a last window that is partly past the end counts, as PyTorch's `ceil_mode`; default false. */
  ceilMode?: boolean;
}

export interface AxisWindows {
  /** Positions of the window; 0 or fewer where it does not fit. */
  output: number;
  /** Padding before the first element. */
  before: number;
  /** Padding after the last element that the windows reach, the overhang of `ceilMode` included; never below 0. */
  after: number;
  /** Padding after the last element that was asked for. */
  asked: number;
}

/** The windows along one axis. */
export function axisWindows(
  input: number,
  size: number,
  stride: number,
  dilation: number,
  padding: 'same' | 'valid' | Pair,
  ceilMode = false,
): AxisWindows {
  const reach = dilation * (size - 1) + 1;
  if (padding === 'same') {
    const output = Math.ceil(input / stride);
    const total = Math.max((output - 1) * stride + reach - input, 0);
    const before = Math.floor(total / 2);
    return {output, before, after: total - before, asked: total - before};
  }
  const [before, asked] = padding === 'valid' ? [0, 0] : padding;
  const room = input + before + asked - reach;
  if (room < 0) return {output: 0, before, after: asked, asked};
  let output = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // A window has to start inside the input or the padding before it.
  if (ceilMode && (output - 1) * stride >= input + before) output--;
  const overhang = (output - 1) * stride + reach - input - before;
  return {output, before, after: Math.max(asked, overhang), asked};
}

/** The windows along height and width of an input [H, W]. */
export function imageWindows(input: readonly [number, number], windows: Windows): [AxisWindows, AxisWindows] {
  const {size, strides, dilation, padding, ceilMode} = windows;
  const along = (axis: 0 | 1) =>
    axisWindows(
      input[axis],
      size[axis],
      strides[axis],
      dilation[axis],
      typeof padding === 'string' ? padding : padding[axis],
      ceilMode,
    );
  return [along(0), along(1)];
}
