/** What nodes that reshape and cut ask for, with what ONNX leaves open resolved. */
import {integer, listed, positive, refuse, type Call} from './call';
import {sizeOf} from './values';

/** Resolves a slice as numpy does: first, step and count. */
export function sliceRange(length: number, start: number, end: number, step: number): {first: number; count: number} {
  const clamp = (value: number, low: number, high: number) =>
    Math.min(Math.max(value < 0 ? value + length : value, low), high);
  const first = step > 0 ? clamp(start, 0, length) : clamp(start, -1, length - 1);
  const last = step > 0 ? clamp(end, 0, length) : clamp(end, -1, length - 1);
  return {first, count: Math.max(Math.ceil((last - first) / step), 0)};
}

/** Slices that a Slice node asks for, one an axis. */
export function slices(
  call: Call,
  shape: readonly number[],
): {axis: number; first: number; count: number; step: number}[] {
  const starts = listed(call, 1, 'starts') ?? [];
  const ends = listed(call, 2, 'ends') ?? [];
  const axes = listed(call, 3, 'axes') ?? starts.map((_, at) => at);
  const steps = listed(call, 4, 'steps') ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length)
    throw refuse(call, 'its starts, ends and axes differ in length');
  return axes.map((given, at) => {
    const axis = positive(call, given, shape.length);
    return {axis, step: steps[at], ...sliceRange(shape[axis], starts[at], ends[at], steps[at])};
  });
}

/** The shape that Reshape asks for, with 0 (as it was) and -1 (the rest) resolved. */
export function targetShape(call: Call, shape: readonly number[]): number[] {
  const wanted = listed(call, 1, 'shape') ?? [];
  const keepsZero = integer(call, 'allowzero', 0) === 0;
  const sizes = wanted.map((length, axis) => (length === 0 && keepsZero ? shape[axis] : length));
  const rest = sizes.indexOf(-1);
  if (rest >= 0) sizes[rest] = sizeOf(shape) / sizeOf(sizes.filter((_, axis) => axis !== rest));
  if (sizeOf(sizes) !== sizeOf(shape) || !sizes.every((length) => Number.isInteger(length) && length >= 0)) {
    throw refuse(call, `[${shape.join(', ')}] cannot be reshaped to [${wanted.join(', ')}]`);
  }
  return sizes;
}

export function unsqueezedShape(call: Call, shape: readonly number[]): number[] {
  const axes = listed(call, 1, 'axes') ?? [];
  const rank = shape.length + axes.length;
  const added = axes.map((axis) => positive(call, axis, rank));
  const rest = [...shape];
  return Array.from({length: rank}, (_, axis) => (added.includes(axis) ? 1 : (rest.shift() ?? 1)));
}

export function squeezedShape(call: Call, shape: readonly number[]): number[] {
  const axes = listed(call, 1, 'axes')?.map((axis) => positive(call, axis, shape.length));
  return shape.filter((length, axis) => (axes ? !axes.includes(axis) : length !== 1));
}

/** Sizes of the pieces that Split makes. */
export function splitSizes(call: Call, length: number): number[] {
  const given = listed(call, 1, 'split');
  const count = call.node.output.length;
  const piece = Math.ceil(length / count);
  const sizes = given ?? Array.from({length: count}, (_, at) => Math.min(piece, length - at * piece));
  if (sizes.length !== count || sizes.reduce((sum, size) => sum + size, 0) !== length) {
    throw refuse(call, `an axis of length ${length} cannot be split into ${sizes.join(' + ')}`);
  }
  return sizes;
}
