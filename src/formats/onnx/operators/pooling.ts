import {activationInput, emit, integer, integers, refuse, words, type Reader} from '../call';
import {arranged, CHANNELS_LAST} from '../values';
import {imageInput, pairOf, paddingOf} from './convolution';

/** A window's size; ONNX has no default. */
const windowOf = (call: Parameters<Reader>[0]): [number, number] => {
  const size = integers(call, 'kernel_shape');
  if (size?.length !== 2) throw refuse(call, 'only pooling over height and width is supported');
  return [size[0], size[1]];
};

export const maxPool: Reader = (call) => {
  if (call.node.output.length > 1 && call.node.output[1] !== '') {
    throw refuse(call, 'it also gives the positions of the maxima, which is not supported');
  }
  const input = imageInput(call);
  const poolSize = windowOf(call);
  const [strides, dilationRate] = [pairOf(call, 'strides'), pairOf(call, 'dilations')];
  const padding = paddingOf(call, input, poolSize, strides, dilationRate);
  const ceilMode = integer(call, 'ceil_mode', 0) === 1;
  return emit(call, 'MaxPooling2D', {poolSize, strides, padding, ceilMode, dilationRate}, input);
};

export const averagePool: Reader = (call) => {
  const input = imageInput(call);
  const poolSize = windowOf(call);
  const strides = pairOf(call, 'strides');
  if (pairOf(call, 'dilations').some((step) => step !== 1))
    throw refuse(call, 'dilated average pooling is not supported');
  const padding = paddingOf(call, input, poolSize, strides, [1, 1]);
  const [ceilMode, countPadding] = ['ceil_mode', 'count_include_pad'].map((name) => integer(call, name, 0) === 1);
  return emit(call, 'AveragePooling2D', {poolSize, strides, padding, countPadding, ceilMode}, input);
};

export const globalPool =
  (operator: 'GlobalAveragePooling2D' | 'GlobalMaxPooling2D'): Reader =>
  (call) =>
    emit(call, operator, {keepdims: true}, imageInput(call));

/** Resize of later versions (image, region, scales, sizes), of version 10 and Upsample (image, scales). */
export const resize: Reader = (call) => {
  const value = activationInput(call);
  if (value.shape.length !== 4) throw refuse(call, 'only images can be resized');
  const known = (at: number) => {
    const array = call.inputs[at];
    return array?.kind === 'constant' && array.data.length > 0 ? [...array.data] : undefined;
  };
  const older = call.node.opType === 'Upsample' || call.opset < 11;
  const scales = older ? (known(1) ?? call.node.attribute.find(({name}) => name === 'scales')?.floats) : known(2);
  const sizes = older ? undefined : known(3);
  const axes = integers(call, 'axes') ?? [0, 1, 2, 3];
  const wanted = [...value.shape];
  axes.forEach((axis, at) => {
    wanted[axis] = sizes ? sizes[at] : Math.floor(value.shape[axis] * (scales?.[at] ?? 1));
  });
  const input = arranged(call.graph, value, CHANNELS_LAST);
  if (wanted[0] !== value.shape[0] || wanted[1] !== value.shape[1]) throw refuse(call, 'it resizes batch or channels');
  const mode = words(call, 'mode', 'nearest');
  const coordinates = words(call, 'coordinate_transformation_mode', older ? 'asymmetric' : 'half_pixel');
  const how: Readonly<Record<string, string>> = {
    half_pixel: 'half_pixel',
    pytorch_half_pixel: 'half_pixel',
    asymmetric: 'asymmetric',
    align_corners: 'align_corners',
  };
  if (!Object.hasOwn(how, coordinates))
    throw refuse(call, `coordinate_transformation_mode ${coordinates} is not supported`);
  if (integer(call, 'antialias', 0) === 1) throw refuse(call, 'resizing with antialiasing is not supported');
  if (mode !== 'nearest' && mode !== 'linear' && mode !== 'bilinear')
    throw refuse(call, `mode ${mode} is not supported; nearest and linear are`);
  const size = [wanted[2], wanted[3]];
  const interpolation = mode === 'nearest' ? 'nearest' : 'bilinear';
  if (
    interpolation === 'nearest' &&
    !(coordinates === 'asymmetric' && words(call, 'nearest_mode', older ? 'floor' : 'round_prefer_floor') === 'floor')
  ) {
    // With whole factors all roundings of all coordinates but those of corners pick the same pixel as the floor.
    const wholeFactors = [2, 3].every((axis) => wanted[axis] % value.shape[axis] === 0);
    if (!wholeFactors || coordinates === 'align_corners' || coordinates === 'asymmetric') {
      throw refuse(
        call,
        'nearest-neighbour resizing is supported with nearest_mode floor on asymmetric coordinates, or by whole factors',
      );
    }
    return emit(call, 'Resize', {size, interpolation, coordinates: 'asymmetric'}, input);
  }
  return emit(call, 'Resize', {size, interpolation, coordinates: how[coordinates]}, input);
};
