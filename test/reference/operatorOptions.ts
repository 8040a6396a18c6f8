import type {Graph} from '../../src/network/graph';
import {node} from '../../src/network/operators';
import {graphOf, plain, seeded} from './madeGraphs';

export const SHAPE = [8, 8, 4];

/** A node of each operator behind an image of 8×8×4, and for each of its arguments another value that is valid too. */
export const CASES: Record<
  string,
  {args?: Record<string, unknown>; other?: Record<string, unknown>; reads?: string[]}
> = {
  InputLayer: {},
  Constant: {},
  Conv2D: {
    args: {padding: 'valid'},
    other: {
      strides: [2, 1],
      padding: [
        [1, 0],
        [0, 0],
      ],
      dilationRate: [1, 2],
      groups: 2,
    },
  },
  DepthwiseConv2D: {other: {strides: [1, 2], padding: 'same', dilationRate: [2, 1]}},
  Conv2DTranspose: {
    args: {strides: [2, 2]},
    other: {
      strides: [2, 1],
      padding: [
        [0, 1],
        [0, 0],
      ],
      dilationRate: [2, 1],
      outputPadding: [1, 0],
    },
  },
  Dense: {},
  MatMul: {reads: ['square', 'square'], other: {transposeA: true, transposeB: true}},
  BatchNormalization: {args: {axis: 1, epsilon: 1e-3}, other: {axis: 2, epsilon: 1e-5}},
  LayerNormalization: {args: {axes: [3], epsilon: 1e-3}, other: {axes: [1], epsilon: 1e-5}},
  GroupNormalization: {args: {groups: 2, epsilon: 1e-3}, other: {groups: 4, epsilon: 1e-5}},
  Rescaling: {},
  ReLU: {other: {maxValue: 6, negativeSlope: 0.1, threshold: 0.5}},
  ELU: {other: {alpha: 0.5}},
  PReLU: {},
  HardSigmoid: {other: {slope: 0.2, offset: 0.4}},
  Activation: {args: {activation: 'tanh'}, other: {activation: 'swish'}},
  Clip: {args: {min: -1, max: 1}, other: {min: null, max: 2}},
  Softmax: {args: {axis: 3}, other: {axis: 1}},
  LogSoftmax: {args: {axis: 3}, other: {axis: 1}},
  Add: {reads: ['image', 'relu']},
  Subtract: {reads: ['image', 'relu']},
  Multiply: {reads: ['image', 'relu']},
  Divide: {reads: ['image', 'relu']},
  Maximum: {reads: ['image', 'relu']},
  Minimum: {reads: ['image', 'relu']},
  Average: {reads: ['image', 'relu']},
  Power: {args: {exponent: 2}, other: {exponent: 3}},
  Concatenate: {reads: ['image', 'relu'], args: {axis: 3}, other: {axis: 1}},
  Slice: {args: {axis: 1, start: 1, end: 5}, other: {axis: 2, start: 2, end: 6, step: 2}},
  Pad: {
    args: {
      paddings: [
        [1, 1],
        [0, 0],
        [0, 0],
      ],
    },
    other: {
      paddings: [
        [1, 0],
        [0, 0],
        [0, 0],
      ],
      mode: 'edge',
      value: 1,
    },
  },
  Reshape: {args: {shape: [-1]}, other: {shape: [16, -1]}},
  Permute: {args: {order: [2, 1, 3]}, other: {order: [3, 1, 2]}},
  MaxPooling2D: {
    args: {poolSize: [3, 3], strides: [2, 2]},
    other: {
      poolSize: [2, 3],
      strides: [2, 1],
      padding: [
        [1, 0],
        [0, 0],
      ],
      ceilMode: true,
      dilationRate: [2, 1],
    },
  },
  AveragePooling2D: {
    args: {
      poolSize: [3, 3],
      strides: [2, 2],
      padding: [
        [1, 0],
        [0, 0],
      ],
      countPadding: true,
    },
    other: {
      poolSize: [2, 3],
      strides: [2, 1],
      padding: [
        [1, 1],
        [1, 0],
      ],
      countPadding: false,
      ceilMode: true,
    },
  },
  GlobalAveragePooling2D: {other: {keepdims: true}},
  GlobalMaxPooling2D: {other: {keepdims: true}},
  Mean: {args: {axes: [1]}, other: {axes: [2], keepdims: true}},
  Max: {args: {axes: [1]}, other: {axes: [2], keepdims: true}},
  Sum: {args: {axes: [1]}, other: {axes: [2], keepdims: true}},
  Resize: {
    args: {size: [16, 16], interpolation: 'bilinear'},
    other: {size: [16, 12], interpolation: 'nearest', coordinates: 'align_corners'},
  },
};

export const WEIGHTS: Record<string, Record<string, number[]>> = {
  Constant: {value: [8, 8, 4]},
  Conv2D: {kernel: [3, 3, 4, 6], bias: [6]},
  DepthwiseConv2D: {kernel: [3, 3, 4, 2], bias: [8]},
  Conv2DTranspose: {kernel: [3, 3, 5, 4], bias: [5]},
  Dense: {kernel: [4, 5], bias: [5]},
  BatchNormalization: {gamma: [8], beta: [8], moving_mean: [8], moving_variance: [8]},
  LayerNormalization: {gamma: [4], beta: [4]},
  GroupNormalization: {gamma: [4], beta: [4]},
  Rescaling: {scale: [4], offset: [4]},
  PReLU: {alpha: [4]},
};

export function graphWith(operator: string, changed: Record<string, unknown> = {}, seed = ''): Graph {
  const {args, reads = ['image']} = CASES[operator];
  const shapes = {...WEIGHTS[operator]};
  if (operator === 'Conv2D' && changed['groups'] === 2) shapes['kernel'] = [3, 3, 2, 6];
  if (operator === 'LayerNormalization' && changed['axes']) Object.assign(shapes, {gamma: [8], beta: [8]});
  const weights = Object.entries(shapes).map(([name, shape]) => seeded(name, shape, seed));
  const inputs = operator === 'Constant' ? [] : reads;
  const others = [plain('ReLU', 'relu', 'image'), plain('Concatenate', 'square', ['image', 'image'], {axis: 3})];
  return graphOf(SHAPE, [...others, node(operator, 'node', {inputs, args: {...args, ...changed}, weights})]);
}
