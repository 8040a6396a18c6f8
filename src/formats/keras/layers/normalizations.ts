import {resolveAxis, positiveAxis, type LayerContext, type LayerReader} from './layer';

const affine = (layer: LayerContext, shape: readonly number[]) => [
  ...(layer.args.flag('scale', true) ? [{name: 'gamma', shape}] : []),
  ...(layer.args.flag('center', true) ? [{name: 'beta', shape}] : []),
];

/** The moments of training batches count at inference, so renormalisation, virtual batches and synchronisation do not. */
const batchNorm: LayerReader = (layer) => {
  layer.args.ignore('momentum', 'synchronized', 'fused', 'virtual_batch_size', 'renorm_clipping', 'renorm_momentum');
  layer.args.only('renorm', [false], 'renormalised batch norm is not read');
  layer.args.only('adjustment', [], 'it cannot be read');
  layer.args.only('mode', [0], 'only mode 0 is read');
  const axis = positiveAxis(layer, 'axis', -1);
  const shape = [layer.shapes[0][axis - 1]];
  const epsilon = layer.args.number('epsilon', 1e-3);
  const weights = layer.weights([
    ...affine(layer, shape),
    {name: 'moving_mean', aliases: ['running_mean'], shape},
    {name: 'moving_variance', aliases: ['running_std', 'running_variance'], shape},
  ]);
  return layer.add('BatchNormalization', {axis, epsilon}, {weights});
};

const layerNorm: LayerReader = (layer) => {
  const raw = layer.args.raw('axis') ?? -1;
  const axes = (Array.isArray(raw) ? raw : [raw]).map((axis: unknown) => resolveAxis(layer, 'axis', axis));
  axes.sort((a, b) => a - b);
  layer.args.only('rms_scaling', [false], 'only the usual layer norm is read');
  const shape = axes.map((axis) => layer.shapes[0][axis - 1]);
  const epsilon = layer.args.number('epsilon', 1e-3);
  return layer.add('LayerNormalization', {axes, epsilon}, {weights: layer.weights(affine(layer, shape))});
};

const groupNorm: LayerReader = (layer) => {
  const axis = positiveAxis(layer, 'axis', -1);
  const [shape] = layer.shapes;
  if (axis !== shape.length) throw layer.args.invalid('axis', axis, 'only groups of channels (axis −1) are read');
  const channels = shape[axis - 1];
  const given = layer.args.raw('groups') ?? 32;
  const groups = given === -1 ? channels : given;
  if (!Number.isInteger(groups) || (groups as number) < 1 || channels % (groups as number) !== 0) {
    throw layer.args.invalid('groups', given, `it must divide its ${channels} channels`);
  }
  const epsilon = layer.args.number('epsilon', 1e-3);
  const weights = layer.weights(affine(layer, [channels]));
  return layer.add('GroupNormalization', {groups, epsilon}, {weights});
};

/** `values` as an array that multiplies channels: one number, or one per channel. */
function perChannel(layer: LayerContext, key: string, values: number[]): Float32Array {
  const channels = layer.shapes[0].at(-1);
  if (values.length !== 1 && values.length !== channels) {
    throw layer.args.invalid(key, values, `one number, or one for each of its ${channels} channels is read`);
  }
  return Float32Array.from(values);
}

/** x·scale + offset. */
export function addRescaling(layer: LayerContext, scale: number[], offset: number[], name = layer.name): string {
  const weight = (key: string, values: number[]) => {
    const data = perChannel(layer, key, values);
    return {name: key, shape: [data.length], data};
  };
  return layer.add('Rescaling', {}, {name, weights: [weight('scale', scale), weight('offset', offset)]});
}

const rescaling: LayerReader = (layer) =>
  addRescaling(layer, layer.args.numbers('scale'), layer.args.numbers('offset', [0]));

/** (x − mean) / max(√variance, 1e-7); the moments are arguments, or weights where they were adapted to data. */
const normalization: LayerReader = (layer) => {
  const {args} = layer;
  const rank = layer.shapes[0].length;
  const raw = args.raw('axis');
  const axes = (Array.isArray(raw) ? raw : raw === undefined ? [-1] : [raw]).filter((axis) => axis !== null);
  const resolved = axes.map((axis: unknown) => resolveAxis(layer, 'axis', axis));
  if (resolved.some((axis) => axis !== rank)) {
    throw args.invalid('axis', raw, 'only a normalisation of channels, or of all values alike, is read');
  }
  const channels = resolved.length === 0 ? 1 : layer.shapes[0][rank - 1];
  args.ignore('mean', 'variance');
  let mean: number[];
  let variance: number[];
  if (args.has('mean') || args.has('variance')) {
    mean = args.numbers('mean');
    variance = args.numbers('variance');
  } else {
    const shape = resolved.length === 0 ? [] : [channels];
    [mean, variance] = layer
      .weights([
        {name: 'mean', shape},
        {name: 'variance', shape},
      ])
      .map(({data}) => [...data]);
  }
  const count = Math.max(mean.length, variance.length);
  const at = (values: number[], c: number) => values[values.length === 1 ? 0 : c];
  const each = (value: (mean: number, std: number) => number) =>
    Array.from({length: count}, (_, c) => value(at(mean, c), Math.max(Math.sqrt(at(variance, c)), 1e-7)));
  if (args.flag('invert', false)) {
    return addRescaling(
      layer,
      each((_, std) => std),
      each((average) => average),
    );
  }
  return addRescaling(
    layer,
    each((_, std) => 1 / std),
    each((average, std) => -average / std),
  );
};

export const normalizationLayers: Record<string, LayerReader> = {
  BatchNormalization: batchNorm,
  BatchNormalizationV1: batchNorm,
  BatchNormalizationV2: batchNorm,
  SyncBatchNormalization: batchNorm,
  LayerNormalization: layerNorm,
  GroupNormalization: groupNorm,
  Rescaling: rescaling,
  Normalization: normalization,
};
