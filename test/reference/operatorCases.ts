import fc from 'fast-check';
import {ACTIVATIONS, operatorOf} from '../../src/network/operators';
import {anyShape, array, imageInput, int, made, pair, some, type OperatorCase} from './operatorParts';
import {convolution, depthwise, pooling, transposed} from './windowCases';

/** Arbitrary nodes of every operator, with shapes of inputs that fit them. */

const elementwise = (operator: string, args: fc.Arbitrary<object>, range: [number, number] = [-3, 3]) =>
  fc
    .record({shape: anyShape, args})
    .map((c): OperatorCase => ({node: made(operator, c.args), inputs: [c.shape], range}));

/** Shapes of which some axes, or leading ones after the batch axis, are 1 or left out. */
const combined = (operator: string, most: number, range?: [number, number]) =>
  fc
    .record({
      shape: fc.array(int(1, 4), {minLength: 2, maxLength: 4}),
      masks: fc.array(fc.array(fc.boolean(), {minLength: 4, maxLength: 4}), {minLength: 2, maxLength: most}),
      cut: int(0, 2),
    })
    .map(({shape, masks, cut}): OperatorCase => {
      const inputs = masks.map((mask, at) => {
        const own = shape.map((size, axis) => (axis > 0 && mask[axis] && at > 0 ? 1 : size));
        return at > 0 ? [own[0]!, ...own.slice(1 + Math.min(cut, own.length - 2))] : own;
      });
      return {node: made(operator, {}, inputs.length), inputs, range};
    });

const overAxes = (operator: string) =>
  fc
    .record({
      shape: fc.array(int(1, 4), {minLength: 3, maxLength: 4}),
      mask: fc.array(fc.boolean(), {minLength: 3, maxLength: 3}),
      keepdims: fc.boolean(),
    })
    .map(({shape, mask, keepdims}): OperatorCase => {
      const axes = [1, 2, 3].filter((axis) => axis < shape.length && mask[axis - 1]);
      return {node: made(operator, {axes: axes.length > 0 ? axes : [1], keepdims}), inputs: [shape]};
    });

const normalisation = fc
  .record({shape: anyShape, axis: int(1, 3), gamma: fc.boolean(), beta: fc.boolean(), seed: fc.nat()})
  .map(({shape, axis: wanted, gamma, beta, seed}): OperatorCase => {
    const axis = Math.min(wanted, shape.length - 1);
    const size = [shape[axis]!];
    const weights = [
      ...some(gamma, array('gamma', size, seed)),
      ...some(beta, array('beta', size, seed + 1)),
      array('moving_mean', size, seed + 2),
      array('moving_variance', size, seed + 3, [0.2, 2]),
    ];
    return {node: made('BatchNormalization', {axis, epsilon: 1e-3}, 1, weights), inputs: [shape]};
  });

const layerNormalisation = fc
  .record({
    shape: fc.array(int(2, 4), {minLength: 2, maxLength: 4}),
    last: int(1, 3),
    both: fc.boolean(),
    seed: fc.nat(),
  })
  .map(({shape, last, both, seed}): OperatorCase => {
    const axes = shape.map((_, axis) => axis).slice(Math.max(1, shape.length - last));
    const size = axes.map((axis) => shape[axis]!);
    const weights = some(both, array('gamma', size, seed), array('beta', size, seed + 1));
    return {node: made('LayerNormalization', {axes, epsilon: 1e-2}, 1, weights), inputs: [shape]};
  });

const groupNormalisation = fc
  .record({input: imageInput, groups: int(1, 3), both: fc.boolean(), seed: fc.nat()})
  .map(({input: {batch, image, channels}, groups, both, seed}): OperatorCase => {
    const all = channels * groups;
    const weights = some(both, array('gamma', [all], seed), array('beta', [all], seed + 1));
    return {node: made('GroupNormalization', {groups, epsilon: 1e-2}, 1, weights), inputs: [[batch, ...image, all]]};
  });

const perChannel = (operator: string, ...names: string[]) =>
  fc.record({input: imageInput, whole: fc.boolean(), seed: fc.nat()}).map(({input, whole, seed}): OperatorCase => {
    const weights = names.map((name, at) => array(name, [whole ? 1 : input.channels], seed + at));
    return {node: made(operator, {}, 1, weights), inputs: [[input.batch, ...input.image, input.channels]]};
  });

export const OPERATOR_CASES: Record<string, fc.Arbitrary<OperatorCase>> = {
  Conv2D: convolution,
  DepthwiseConv2D: depthwise,
  Conv2DTranspose: transposed,
  MaxPooling2D: pooling('MaxPooling2D'),
  AveragePooling2D: pooling('AveragePooling2D'),
  Dense: fc
    .record({shape: anyShape, units: int(1, 4), bias: fc.boolean(), seed: fc.nat()})
    .map(({shape, units, bias, seed}) => {
      const weights = [
        array('kernel', [shape[shape.length - 1]!, units], seed),
        ...some(bias, array('bias', [units], seed + 1)),
      ];
      return {node: made('Dense', {}, 1, weights), inputs: [shape]};
    }),
  MatMul: fc
    .record({
      batch: int(1, 3),
      outer: fc.array(int(1, 3), {maxLength: 1}),
      sizes: fc.tuple(int(1, 4), int(1, 4), int(1, 4)),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    })
    .map(({batch, outer, sizes: [m, k, n], transposeA, transposeB}) => ({
      node: made('MatMul', {transposeA, transposeB}, 2),
      inputs: [
        [batch, ...outer, ...(transposeA ? [k, m] : [m, k])],
        [batch, ...outer, ...(transposeB ? [n, k] : [k, n])],
      ],
    })),
  BatchNormalization: normalisation,
  LayerNormalization: layerNormalisation,
  GroupNormalization: groupNormalisation,
  Rescaling: perChannel('Rescaling', 'scale', 'offset'),
  PReLU: perChannel('PReLU', 'alpha'),
  ReLU: elementwise(
    'ReLU',
    fc.record({
      maxValue: fc.constantFrom(null, 6, 1.5),
      negativeSlope: fc.constantFrom(0, 0.1, 1.5),
      threshold: fc.constantFrom(0, 0.4),
    }),
  ),
  ELU: elementwise('ELU', fc.record({alpha: fc.constantFrom(1, 0.5, 2)})),
  HardSigmoid: elementwise(
    'HardSigmoid',
    fc.record({slope: fc.constantFrom(0.2, 1 / 6), offset: fc.constant(0.5)}),
    [-5, 5],
  ),
  Activation: fc.record({shape: anyShape, activation: fc.constantFrom(...ACTIVATIONS)}).map(({shape, activation}) => ({
    node: made('Activation', {activation}),
    inputs: [shape],
    range: ['sqrt', 'log', 'reciprocal'].includes(activation) ? [0.3, 3] : [-4, 4],
  })),
  Clip: elementwise('Clip', fc.record({min: fc.constantFrom(null, 0, -0.5), max: fc.constantFrom(null, 6, 1.2)})),
  Softmax: fc
    .record({shape: anyShape, axis: int(1, 3)})
    .map(({shape, axis}) => ({node: made('Softmax', {axis: Math.min(axis, shape.length - 1)}), inputs: [shape]})),
  LogSoftmax: fc
    .record({shape: anyShape, axis: int(1, 3)})
    .map(({shape, axis}) => ({node: made('LogSoftmax', {axis: Math.min(axis, shape.length - 1)}), inputs: [shape]})),
  Add: combined('Add', 3),
  Subtract: combined('Subtract', 2),
  Multiply: combined('Multiply', 3),
  Divide: combined('Divide', 2, [0.5, 2]),
  Maximum: combined('Maximum', 3),
  Minimum: combined('Minimum', 3),
  Average: combined('Average', 3),
  Power: elementwise('Power', fc.record({exponent: fc.constantFrom(1, 2, 0.5, -1, 3, 1.7)}), [0.3, 2]),
  Concatenate: fc
    .record({shape: anyShape, axis: int(1, 3), sizes: fc.array(int(1, 3), {minLength: 1, maxLength: 3})})
    .map(({shape, axis: wanted, sizes}) => {
      const axis = Math.min(wanted, shape.length - 1);
      const inputs = sizes.map((size) => shape.map((length, at) => (at === axis ? size : length)));
      return {node: made('Concatenate', {axis}, inputs.length), inputs};
    }),
  Slice: fc
    .record({shape: anyShape, axis: int(1, 3), start: int(0, 3), length: int(1, 4), step: int(1, 3)})
    .map(({shape, axis: wanted, start, length, step}) => {
      const axis = Math.min(wanted, shape.length - 1);
      const end = start + length;
      return {
        node: made('Slice', {axis, start, end, step}),
        inputs: [shape.map((size, at) => (at === axis ? Math.max(size, end) : size))],
      };
    }),
  Pad: fc
    .record({
      shape: fc.array(int(2, 4), {minLength: 2, maxLength: 4}),
      paddings: fc.array(pair(0, 1), {minLength: 3, maxLength: 3}),
      mode: fc.constantFrom('constant', 'reflect', 'edge'),
      value: fc.constantFrom(0, 1.5),
    })
    .map(({shape, paddings, mode, value}) => ({
      node: made('Pad', {paddings: paddings.slice(0, shape.length - 1), mode, value}),
      inputs: [shape],
    })),
  Reshape: fc.record({shape: anyShape, way: fc.constantFrom('flat', 'split', 'same')}).map(({shape, way}) => {
    const [, ...rest] = shape;
    const to = way === 'flat' ? [-1] : way === 'split' ? [1, -1, rest[rest.length - 1]!] : rest;
    return {node: made('Reshape', {shape: to}), inputs: [shape]};
  }),
  Permute: fc.record({shape: anyShape, keys: fc.array(fc.nat(), {minLength: 3, maxLength: 3})}).map(({shape, keys}) => {
    const order = shape.slice(1).map((_, at) => at + 1);
    order.sort((a, b) => keys[a - 1]! - keys[b - 1]!);
    return {node: made('Permute', {order}), inputs: [shape]};
  }),
  GlobalAveragePooling2D: imageInput.chain(({batch, image, channels}) =>
    fc
      .boolean()
      .map((keepdims) => ({node: made('GlobalAveragePooling2D', {keepdims}), inputs: [[batch, ...image, channels]]})),
  ),
  GlobalMaxPooling2D: imageInput.chain(({batch, image, channels}) =>
    fc
      .boolean()
      .map((keepdims) => ({node: made('GlobalMaxPooling2D', {keepdims}), inputs: [[batch, ...image, channels]]})),
  ),
  Mean: overAxes('Mean'),
  Max: overAxes('Max'),
  Sum: overAxes('Sum'),
  Resize: fc
    .record({
      input: imageInput,
      size: pair(1, 9),
      interpolation: fc.constantFrom('nearest', 'bilinear'),
      coordinates: fc.constantFrom('half_pixel', 'asymmetric', 'align_corners'),
    })
    .map(({input: {batch, image, channels}, ...args}) => ({
      node: made('Resize', args),
      inputs: [[batch, ...image, channels]],
    })),
};

/** Cases whose output is not empty, e.g. whose window fits. */
export const fitting = (cases: fc.Arbitrary<OperatorCase>) =>
  cases.filter(({node, inputs}) => {
    try {
      const shapes = inputs.map(([, ...shape]) => shape);
      return operatorOf(node.operator)
        .shape(node, shapes)
        .every((size) => size > 0);
    } catch {
      return false;
    }
  });
