/** Operators on images and what follows them: convolutions, products, batch norm, pooling, resizing. */
import {flagOf, numberOf, padding, refuse, spatial, text, type Translate, type Translation} from './translation';

const toFirst = ({emit}: Translation, name: string) => emit('Transpose', [name], {perm: [0, 3, 1, 2]});
const toLast = ({emit}: Translation, name: string, output?: string) =>
  emit('Transpose', [name], {perm: [0, 2, 3, 1]}, output);

/** What follows a fused operator's core: a bias, which the core has taken already, and an activation. */
function fused(translation: Translation, value: string, extra: string[]): void {
  const {node, emit} = translation;
  const steps = (node.attr.fused_ops?.list?.s ?? []).map(text);
  const rest = [...extra];
  let current = value;
  steps.forEach((step, at) => {
    const output = at === steps.length - 1 ? node.name : undefined;
    if (step === 'BiasAdd') current = emit('Add', [current, rest.shift() as string], {}, output);
    else if (step === 'Relu6')
      current = emit('Clip', [current, translation.whole([0], []), translation.whole([6], [])], {}, output);
    else if (step === 'LeakyRelu')
      current = emit('LeakyRelu', [current], {alpha: numberOf(node, 'leakyrelu_alpha', 0.2)}, output);
    else if (step === 'Prelu') current = emit('PRelu', [current, rest.shift() as string], {}, output);
    else if (['Relu', 'Elu', 'Sigmoid', 'Tanh'].includes(step)) current = emit(step, [current], {}, output);
    else throw refuse(node, `its fused ${step} is not supported`);
  });
  if (steps.length === 0) emit('Identity', [current], {}, node.name);
}

export const convolution =
  (depthwise: boolean): Translate =>
  (translation) => {
    const {node, emit} = translation;
    const [x, , ...extra] = node.input;
    const {shape} = translation.known(1);
    const kernel = depthwise
      ? translation.weight(1, [2, 3, 0, 1], ([channels, multiplier, height, width]) => [
          channels * multiplier,
          1,
          height,
          width,
        ])
      : translation.weight(1, [3, 2, 0, 1]);
    const core = emit('Conv', [toFirst(translation, x), kernel], {
      strides: spatial(node, 'strides'),
      dilations: spatial(node, 'dilations'),
      kernel_shape: [shape[0], shape[1]],
      ...padding(node),
      ...(depthwise ? {group: shape[2]} : {}),
    });
    fused(translation, toLast(translation, core), extra);
  };

export const product: Translate = (translation) => {
  const {node, emit} = translation;
  const [a, b, ...extra] = node.input;
  const flipped = (name: string, at: number, ...keys: string[]) => {
    if (!keys.some((key) => flagOf(node, key))) return name;
    if (!translation.isKnown(at) || translation.known(at).shape.length !== 2)
      throw refuse(node, 'a transposed input is not supported');
    return emit('Transpose', [name], {perm: [1, 0]});
  };
  const core = emit('MatMul', [flipped(a, 0, 'transpose_a', 'adj_x'), flipped(b, 1, 'transpose_b', 'adj_y')]);
  fused(translation, core, extra);
};

export const batchNorm: Translate = (translation) => {
  const {node, emit} = translation;
  const [x, ...weights] = node.input;
  const core = emit('BatchNormalization', [toFirst(translation, x), ...weights], {
    epsilon: numberOf(node, 'epsilon', 1e-4),
  });
  toLast(translation, core, node.name);
};

export const pool =
  (opType: 'MaxPool' | 'AveragePool'): Translate =>
  (translation) => {
    const {node, emit} = translation;
    const attributes = {kernel_shape: spatial(node, 'ksize'), strides: spatial(node, 'strides'), ...padding(node)};
    toLast(translation, emit(opType, [toFirst(translation, node.input[0])], attributes), node.name);
  };

export const resize =
  (mode: 'nearest' | 'linear'): Translate =>
  (translation) => {
    const {node, emit} = translation;
    const [height, width] = translation.known(1).data;
    const how = flagOf(node, 'align_corners')
      ? 'align_corners'
      : flagOf(node, 'half_pixel_centers')
        ? 'half_pixel'
        : 'asymmetric';
    const attributes = {mode, coordinate_transformation_mode: how, nearest_mode: 'floor', axes: [2, 3]};
    const resized = emit(
      'Resize',
      [toFirst(translation, node.input[0]), '', '', translation.whole([height, width])],
      attributes,
    );
    toLast(translation, resized, node.name);
  };
