import {InputError} from '../../common/errors';
import {option} from '../../common/options';
import {isWhole} from './arguments';
import {shapeField, shown, type LayerRecord} from './topology';

/** Larger sides are a mistake in the file or the call. */
const MAX_SIDE = 16384;

/**
 * [height, width, channels] of an input layer.
 * @throws InputError where it is no image, or of any size and none is given
 */
export function inputShapeOf({name, config}: LayerRecord, inputSize?: readonly [number, number]): number[] {
  const shape = shapeField(config);
  const valid = (size: unknown) => size === null || isWhole(size, 1);
  if (!Array.isArray(shape) || !shape.every(valid)) {
    throw new InputError(
      `input layer "${name}" has shape ${shown(shape)}; an image [null, height, width, channels] is needed: build the model with an Input layer that says it`,
    );
  }
  const [height, width, channels] = shape.slice(1) as (number | null)[];
  const text = `[${shape
    .slice(1)
    .map((size) => size ?? '?')
    .join(', ')}]`;
  if (shape.length !== 4 || channels === null) {
    throw new InputError(`the network takes input ${text}; a network of images [height, width, channels] is needed`);
  }
  if ((height ?? 1) > MAX_SIDE || (width ?? 1) > MAX_SIDE || channels > MAX_SIDE) {
    throw new InputError(`the network takes input ${text}; at most ${MAX_SIDE} a side are read`);
  }
  const given = inputSize ?? [undefined, undefined];
  const resolve = (size: number | null, wanted: number | undefined) => {
    if (size === null && wanted === undefined) {
      throw new InputError(
        `the network takes images of any size, ${text}; give the size of your images (${option('inputSize')}), e.g. 224`,
      );
    }
    if (size !== null && wanted !== undefined && size !== wanted) {
      throw new InputError(
        `${option('inputSize')} ${given.join(' × ')} was given, and the network takes ${text}; leave it out`,
      );
    }
    return (size ?? wanted) as number;
  };
  return [resolve(height, given[0]), resolve(width, given[1]), channels];
}
