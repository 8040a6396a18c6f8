import {InputError} from '../../../common/errors';
import {isWhole} from '../arguments';
import {positiveAxis, type LayerContext, type LayerReader} from './layer';

/** Layers that move values without computing any. */

function imageOf(layer: LayerContext): readonly number[] {
  if (layer.shapes[0].length !== 3) {
    throw new InputError(
      `${layer.owner} reads an input of shape [${layer.shapes[0].join(', ')}], and needs [height, width, channels]`,
    );
  }
  return layer.shapes[0];
}

const flatten: LayerReader = (layer) => {
  layer.args.channelsLast();
  return layer.add('Reshape', {shape: [-1]});
};

const reshape: LayerReader = (layer) => {
  const target = layer.args.raw('target_shape');
  const valid = (size: unknown) => isWhole(size, 1) || size === -1;
  if (!Array.isArray(target) || !target.every(valid) || target.filter((size) => size === -1).length > 1) {
    throw layer.args.invalid('target_shape', target, 'it must be a list of sizes, at most one of them −1');
  }
  return layer.add('Reshape', {shape: target as number[]});
};

const permute: LayerReader = (layer) => {
  const dims = layer.args.raw('dims');
  const rank = layer.shapes[0].length;
  const sorted = Array.isArray(dims) ? [...(dims as unknown[])].sort() : [];
  if (sorted.length !== rank || sorted.some((axis, at) => axis !== at + 1)) {
    throw layer.args.invalid('dims', dims, `it must hold each of 1 to ${rank} once`);
  }
  return layer.add('Permute', {order: dims as number[]});
};

const zeroPadding: LayerReader = (layer) => {
  imageOf(layer);
  layer.args.channelsLast();
  return layer.add('Pad', {paddings: [...layer.args.margins('padding'), [0, 0]], mode: 'constant', value: 0});
};

/**
 * Slices of height and width; what is not cut needs no node.
 * @param spans [start, end] of the rows and of the columns
 */
function addSlices(layer: LayerContext, spans: readonly (readonly [number, number])[]): string {
  const cuts = spans
    .map(([start, end], at) => ({axis: at + 1, start, end, step: 1}))
    .filter(({axis, start, end}) => start > 0 || end < layer.shapes[0][axis - 1]);
  return cuts.reduce<string>((input, cut, at) => {
    const last = at === cuts.length - 1;
    if (cut.start >= cut.end) throw new InputError(`${layer.owner} cuts away all of its input`);
    return layer.add('Slice', cut, {
      inputs: [input],
      ...(last ? {} : {name: layer.fresh(`${layer.name}_rows`), mark: {kind: 'generated' as const, of: layer.name}}),
    });
  }, layer.inputs[0]);
}

const cropping: LayerReader = (layer) => {
  const [height, width] = imageOf(layer);
  layer.args.channelsLast();
  const [[top, bottom], [left, right]] = layer.args.margins('cropping');
  return addSlices(layer, [
    [top, height - bottom],
    [left, width - right],
  ]);
};

/** Where the image is smaller, Keras enlarges it: that is preprocessing, and belongs before the network. */
const centerCrop: LayerReader = (layer) => {
  const [height, width] = imageOf(layer);
  layer.args.channelsLast();
  const wanted = [layer.args.whole('height', 1), layer.args.whole('width', 1)];
  if (wanted[0] > height || wanted[1] > width) {
    throw new InputError(
      `${layer.owner} enlarges images of ${height} × ${width} to ${wanted.join(' × ')}, which is not read; take it out of the network and let the preset resize`,
    );
  }
  return addSlices(
    layer,
    [height, width].map((size, at) => {
      const start = Math.floor((size - wanted[at]) / 2);
      return [start, start + wanted[at]] as const;
    }),
  );
};

/** At inference Keras resizes so that the crop fits, then takes the centre: nothing where the image has the size already. */
const randomCrop: LayerReader = (layer) => {
  const [height, width] = imageOf(layer);
  layer.args.channelsLast();
  const wanted = [layer.args.whole('height', 1), layer.args.whole('width', 1)];
  if (wanted[0] !== height || wanted[1] !== width) {
    throw new InputError(
      `${layer.owner} resizes images of ${height} × ${width} and crops them to ${wanted.join(' × ')}, which is not read; take it out of the network and let the preset crop`,
    );
  }
  return layer.inputs[0];
};

const plainInterpolation = (layer: LayerContext, fallback: string) => {
  const interpolation = layer.args.text('interpolation', fallback);
  if (interpolation !== 'nearest' && interpolation !== 'bilinear') {
    throw layer.args.invalid('interpolation', interpolation, 'nearest and bilinear are read');
  }
  return interpolation;
};

const resizing: LayerReader = (layer) => {
  imageOf(layer);
  layer.args.channelsLast();
  const advice = 'only a plain resize is read; take the layer out of the network and let the preset resize';
  for (const key of ['crop_to_aspect_ratio', 'pad_to_aspect_ratio', 'antialias']) layer.args.only(key, [false], advice);
  layer.args.ignore('fill_mode', 'fill_value');
  const size = [layer.args.whole('height', 1), layer.args.whole('width', 1)];
  return layer.add('Resize', {size, interpolation: plainInterpolation(layer, 'bilinear'), coordinates: 'half_pixel'});
};

/** tfjs-layers aligns corners of pixels where Keras aligns their centres; nearest is the same in both. */
const upSampling: LayerReader = (layer) => {
  const [height, width] = imageOf(layer);
  layer.args.channelsLast();
  const [rows, columns] = layer.args.pair('size', 1, [2, 2]);
  const interpolation = plainInterpolation(layer, 'nearest');
  const coordinates = interpolation === 'nearest' || layer.dialect === 'tfjs' ? 'asymmetric' : 'half_pixel';
  return layer.add('Resize', {size: [height * rows, width * columns], interpolation, coordinates});
};

const concatenate: LayerReader = (layer) => {
  if (layer.inputs.length === 1) return layer.inputs[0];
  return layer.add('Concatenate', {axis: positiveAxis(layer, 'axis', -1)});
};

/** Layers and operators that combine their inputs elementwise, with the number of inputs at most. */
const combining =
  (operator: string, most = Infinity): LayerReader =>
  (layer) => {
    if (layer.inputs.length < 2 || layer.inputs.length > most) {
      throw new InputError(
        `${layer.owner} reads ${layer.inputs.length} tensors, and combines ${most === 2 ? '' : 'at least '}2`,
      );
    }
    return layer.add(operator, {});
  };

export const shapeLayers: Record<string, LayerReader> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  ZeroPadding2D: zeroPadding,
  Cropping2D: cropping,
  CenterCrop: centerCrop,
  RandomCrop: randomCrop,
  Resizing: resizing,
  UpSampling2D: upSampling,
  Concatenate: concatenate,
  Add: combining('Add'),
  Subtract: combining('Subtract', 2),
  Multiply: combining('Multiply'),
  Average: combining('Average'),
  Maximum: combining('Maximum'),
  Minimum: combining('Minimum'),
};
