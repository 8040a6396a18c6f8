import * as tf from '@tensorflow/tfjs-core';
import {oneOf, pair, withInitial} from './rules';
import {imageShape, operator} from './types';
import type {Pair} from './windows';

export type Coordinates = 'half_pixel' | 'asymmetric' | 'align_corners';

/**
 * Images of another size. Output o reads position (o + ½)·n/m − ½ of n inputs for m outputs (`half_pixel`), o·n/m (`asymmetric`) or
 * o·(n − 1)/(m − 1) (`align_corners`), inside the image. `nearest` takes the nearest element there, `asymmetric` the one before.
 */
export const Resize = operator('Resize', {
  rules: {
    size: pair(1),
    interpolation: withInitial(oneOf('nearest', 'bilinear'), 'nearest'),
    coordinates: withInitial(oneOf('half_pixel', 'asymmetric', 'align_corners'), 'half_pixel'),
  },
  shape(node, [x]) {
    const [, , channels] = imageShape(node, x!);
    return [...(node.args['size'] as Pair), channels];
  },
  run(node, [x]) {
    const {size, interpolation, coordinates} = node.args as {
      size: Pair;
      interpolation: string;
      coordinates: Coordinates;
    };
    if (size[0] === x!.shape[1] && size[1] === x!.shape[2]) return tf.clone(x!);
    if (interpolation === 'bilinear') {
      const corners = coordinates === 'align_corners';
      return tf.image.resizeBilinear(x as tf.Tensor4D, size, corners, coordinates === 'half_pixel');
    }
    return tf.tidy(() =>
      ([0, 1] as const).reduce((image, axis) => {
        const input = image.shape[axis + 1]!;
        const rows = Array.from({length: size[axis]}, (_, o) => nearest(o, input, size[axis], coordinates));
        return tf.gather(image, tf.tensor1d(rows, 'int32'), axis + 1);
      }, x!),
    );
  },
});

/** The element that an output of `nearest` reads. */
export function nearest(output: number, inputs: number, outputs: number, coordinates: Coordinates): number {
  const position =
    coordinates === 'half_pixel'
      ? Math.floor(((output + 0.5) * inputs) / outputs)
      : coordinates === 'asymmetric'
        ? Math.floor((output * inputs) / outputs)
        : Math.round((output * (inputs - 1)) / Math.max(outputs - 1, 1));
  return Math.min(Math.max(position, 0), inputs - 1);
}

/** The first and the last element that an output of `bilinear` reads. */
export function between(output: number, inputs: number, outputs: number, coordinates: Coordinates): [number, number] {
  const position =
    coordinates === 'half_pixel'
      ? ((output + 0.5) * inputs) / outputs - 0.5
      : coordinates === 'asymmetric'
        ? (output * inputs) / outputs
        : (output * (inputs - 1)) / Math.max(outputs - 1, 1);
  const inside = (at: number) => Math.min(Math.max(at, 0), inputs - 1);
  return [inside(Math.floor(position)), inside(Math.ceil(position))];
}
