import * as tf from '@tensorflow/tfjs-core';
import {everyNth} from '../../engine/everyNth';
import type {GraphNode} from '../graph';
import {padding, pair, trueOrFalse, withInitial} from './rules';
import {imageShape, operator, refuse} from './types';
import {imageWindows, type AxisWindows, type Padding, type Pair, type Windows} from './windows';

const rules = {
  poolSize: pair(1),
  strides: pair(1),
  padding: withInitial(padding, 'valid'),
  ceilMode: withInitial(trueOrFalse, false),
};

function windowsOf({args}: GraphNode): Windows {
  const {poolSize: size, strides, padding, ceilMode, dilationRate = [1, 1]} = args as Record<string, unknown>;
  return {
    size: size as Pair,
    strides: strides as Pair,
    padding: padding as Padding,
    ceilMode: ceilMode as boolean,
    dilation: dilationRate as Pair,
  };
}

function pooledShape(node: GraphNode, input: number[]): number[] {
  const [height, width, channels] = imageShape(node, input);
  const windows = windowsOf(node);
  const [rows, columns] = imageWindows([height, width], windows);
  if (rows.output < 1 || columns.output < 1) {
    refuse(node, `has a window of ${windows.size.join('×')} that is larger than its input of ${height}×${width}`);
  }
  return [rows.output, columns.output, channels];
}

/** Whether the engines' own `same` or `valid` is what is asked for. */
const isPlain = ({padding, ceilMode}: Windows) => padding === 'same' || (padding === 'valid' && !ceilMode);

/** With so much of `fill` around height and width that every window is inside. */
function padded(x: tf.Tensor, [rows, columns]: [AxisWindows, AxisWindows], fill: number): tf.Tensor4D {
  const sides: [number, number][] = [
    [0, 0],
    [rows.before, rows.after],
    [columns.before, columns.after],
    [0, 0],
  ];
  return (sides.flat().some((amount) => amount > 0) ? tf.pad(x, sides, fill) : x) as tf.Tensor4D;
}

/** The greatest of each window; padding never is. */
export const MaxPooling2D = operator('MaxPooling2D', {
  rules: {...rules, dilationRate: withInitial(pair(1), [1, 1])},
  shape: (node, [x]) => pooledShape(node, x!),
  run(node, [x]) {
    const windows = windowsOf(node);
    const {size, strides, dilation, padding} = windows;
    const dilated = Math.max(...dilation) > 1;
    if (!dilated && isPlain(windows)) return tf.maxPool(x as tf.Tensor4D, size, strides, padding as 'same' | 'valid');
    return tf.tidy(() => {
      const places = imageWindows([x!.shape[1]!, x!.shape[2]!], windows);
      const around = padded(x!, places, -Infinity);
      return dilated ? dilatedMaximum(around, windows, places) : tf.maxPool(around, size, strides, 'valid');
    });
  },
});

/** The maximum over the taps of a dilated window, tap by tap. */
function dilatedMaximum(x: tf.Tensor4D, {size, strides, dilation}: Windows, places: [AxisWindows, AxisWindows]) {
  const span = (axis: 0 | 1) => strides[axis] * (places[axis].output - 1) + 1;
  let greatest: tf.Tensor | undefined;
  for (let row = 0; row < size[0]; row++) {
    for (let column = 0; column < size[1]; column++) {
      const [top, left] = [row * dilation[0], column * dilation[1]];
      const rows = everyNth(x, 1, top, top + span(0), strides[0]);
      const tap = everyNth(rows, 2, left, left + span(1), strides[1]); // [B, H', W', C]
      greatest = greatest ? tf.maximum(greatest, tap) : tap;
    }
  }
  return greatest!;
}

/**
 * The mean of each window: over what lies inside the input, or, with `countPadding`, over the padding that was asked for, too. What `ceilMode`
 * adds at the end never counts.
 */
export const AveragePooling2D = operator('AveragePooling2D', {
  rules: {...rules, countPadding: withInitial(trueOrFalse, false)},
  shape: (node, [x]) => pooledShape(node, x!),
  run(node, [x]) {
    const windows = windowsOf(node);
    const {size, strides, padding} = windows;
    const countPadding = node.args['countPadding'] === true;
    if (isPlain(windows) && !(countPadding && padding === 'same')) {
      return tf.avgPool(x as tf.Tensor4D, size, strides, padding as 'same' | 'valid');
    }
    return tf.tidy(() => {
      const input: Pair = [x!.shape[1]!, x!.shape[2]!];
      const places = imageWindows(input, windows);
      const mean = tf.avgPool(padded(x!, places, 0), size, strides, 'valid'); // [B, H', W', C], over whole windows
      const counts = ([0, 1] as const).map((axis) =>
        counted(input[axis], size[axis], strides[axis], places[axis], countPadding),
      );
      if (counts.every((along, axis) => along.every((count) => count === size[axis]))) return mean;
      const share = (axis: 0 | 1, shape: [number, number, number, number]) =>
        tf.tensor4d(
          counts[axis]!.map((count) => (count > 0 ? size[axis] / count : 0)),
          shape,
        );
      const [rows, columns] = [counts[0]!.length, counts[1]!.length];
      return tf.mul(mean, tf.mul(share(0, [1, rows, 1, 1]), share(1, [1, 1, columns, 1])));
    });
  },
});

/** How many elements of each window count, along one axis. */
function counted(input: number, size: number, stride: number, {output, before, asked}: AxisWindows, padding: boolean) {
  const [first, end] = padding ? [-before, input + asked] : [0, input];
  return Array.from({length: output}, (_, o) => {
    const start = o * stride - before;
    return Math.max(0, Math.min(start + size, end) - Math.max(start, first));
  });
}

const overPositions = (name: string, reduce: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor) =>
  operator(name, {
    rules: {keepdims: withInitial(trueOrFalse, false)},
    shape(node, [x]) {
      const [, , channels] = imageShape(node, x!);
      return node.args['keepdims'] === true ? [1, 1, channels] : [channels];
    },
    run: (node, [x]) => reduce(x!, [1, 2], node.args['keepdims'] === true),
  });

export const GlobalAveragePooling2D = overPositions('GlobalAveragePooling2D', (x, axes, keepDims) =>
  tf.mean(x, axes, keepDims),
);
export const GlobalMaxPooling2D = overPositions('GlobalMaxPooling2D', (x, axes, keepDims) => tf.max(x, axes, keepDims));
