import fc from 'fast-check';
import {node, shapesOf, weight} from '../../src/network/operators';
import type {Graph, GraphNode, Weight} from '../../src/network/graph';
import {values} from './operatorParts';
import {sizeOf} from './slowOperators';

/** Small random networks of every kind of block, built node by node. */

export const SIDE = 9;
export const CLASSES = 4;

/** Adds nodes to a graph; each returns its name. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  private seed: number;

  constructor(seed: number, shape = [SIDE, SIDE, 3]) {
    this.seed = seed;
    this.nodes.push(node('InputLayer', 'image', {args: {shape}}));
  }

  add(operator: string, inputs: string[], args: Record<string, unknown> = {}, weights: Weight[] = []): string {
    const name = `${operator}_${this.nodes.length}`;
    this.nodes.push(node(operator, name, {inputs, args, weights}));
    return name;
  }

  array(name: string, shape: number[], range?: [number, number]): Weight {
    return weight(name, values(sizeOf(shape), this.seed++, range), shape);
  }

  shape(name: string): number[] {
    return shapesOf(this.graph(name)).get(name)!;
  }

  channels(name: string): number {
    return this.shape(name).at(-1)!;
  }

  conv(x: string, outer: number, args: Record<string, unknown> = {}, {bias = true, size = 3} = {}): string {
    const inner = this.channels(x) / ((args['groups'] as number | undefined) ?? 1);
    const reach = 1.5 / Math.sqrt(size * size * inner);
    const weights = [this.array('kernel', [size, size, inner, outer], [-reach, reach])];
    if (bias) weights.push(this.array('bias', [outer]));
    return this.add('Conv2D', [x], {padding: 'same', ...args}, weights);
  }

  depthwise(x: string, args: Record<string, unknown> = {}): string {
    const weights = [this.array('kernel', [3, 3, this.channels(x), 1], [-0.6, 0.6])];
    return this.add('DepthwiseConv2D', [x], {padding: 'same', ...args}, weights);
  }

  norm(x: string): string {
    const size = [this.channels(x)];
    return this.add('BatchNormalization', [x], {axis: this.shape(x).length, epsilon: 1e-3}, [
      this.array('gamma', size, [0.5, 1.5]),
      this.array('beta', size),
      this.array('moving_mean', size),
      this.array('moving_variance', size, [0.5, 1.5]),
    ]);
  }

  dense(x: string, units: number): string {
    const inner = this.channels(x);
    const reach = 1.5 / Math.sqrt(inner);
    return this.add('Dense', [x], {}, [
      this.array('kernel', [inner, units], [-reach, reach]),
      this.array('bias', [units]),
    ]);
  }

  graph(output: string): Graph {
    return {nodes: this.nodes, inputs: ['image'], outputs: [output]};
  }
}

type Block = (b: GraphBuilder, x: string) => string;

const relu = (b: GraphBuilder, x: string) => b.add('ReLU', [x]);
const CHANNELS = 6;

/** Blocks that take and give [H, W, 6]. */
export const BLOCKS: Record<string, Block> = {
  'convolution, batch norm, relu': (b, x) => relu(b, b.norm(b.conv(x, CHANNELS, {}, {bias: false}))),
  'residual with projection': (b, x) => {
    const main = b.norm(b.conv(relu(b, b.norm(b.conv(x, 4))), CHANNELS));
    return relu(b, b.add('Add', [main, b.norm(b.conv(x, CHANNELS, {}, {size: 1}))]));
  },
  'residual with identity': (b, x) => relu(b, b.add('Add', [b.norm(b.conv(x, CHANNELS)), x])),
  grouped: (b, x) => relu(b, b.norm(b.conv(x, CHANNELS, {groups: 3}))),
  'depthwise and pointwise, bounded': (b, x) => {
    const each = b.add('ReLU', [b.norm(b.depthwise(x))], {maxValue: 6});
    return b.add('ReLU', [b.norm(b.conv(each, CHANNELS, {}, {size: 1}))], {maxValue: 6});
  },
  'padded by a node': (b, x) => {
    const padded = b.add('Pad', [x], {
      paddings: [
        [0, 1],
        [1, 1],
        [0, 0],
      ],
    });
    return b.add('Activation', [b.norm(b.conv(padded, CHANNELS, {padding: 'valid'}))], {activation: 'swish'});
  },
  'before activation': (b, x) => b.add('Concatenate', [b.conv(relu(b, b.norm(x)), 2), b.conv(x, 4)], {axis: 3}),
  'squeeze and excite': (b, x) => {
    const squeezed = b.add('GlobalAveragePooling2D', [x], {keepdims: true});
    const gate = b.add('HardSigmoid', [
      b.conv(b.add('ELU', [b.conv(squeezed, 3, {}, {size: 1})]), CHANNELS, {}, {size: 1}),
    ]);
    return b.add('Multiply', [x, gate]);
  },
  shuffle: (b, x) => {
    const [height, width] = b.shape(x);
    const [first, second] = [0, 3].map((start) => b.add('Slice', [x], {axis: 3, start, end: start + 3}));
    const joined = b.add('Concatenate', [first!, b.norm(b.conv(second!, 3, {}, {size: 1}))], {axis: 3});
    const split = b.add('Reshape', [joined], {shape: [height, width, 2, 3]});
    return b.add('Reshape', [b.add('Permute', [split], {order: [1, 2, 4, 3]})], {shape: [height, width, CHANNELS]});
  },
  'pooled and resized': (b, x) => {
    const [height, width] = b.shape(x);
    // After a convolution: where a relu's zeros tie, the maximum has no one gradient.
    const pooled = b.add('MaxPooling2D', [b.conv(x, CHANNELS)], {
      poolSize: [3, 3],
      strides: [2, 2],
      padding: [
        [1, 1],
        [1, 1],
      ],
    });
    return b.add('Resize', [pooled], {size: [height, width], interpolation: 'bilinear'});
  },
  'leaky, dilated': (b, x) =>
    b.add('ReLU', [b.norm(b.conv(x, CHANNELS, {dilationRate: [2, 2]}))], {negativeSlope: 0.1}),
  'average and layer norm': (b, x) => {
    const pooled = b.add('AveragePooling2D', [x], {poolSize: [3, 3], strides: [1, 1], padding: 'same'});
    return b.add('LayerNormalization', [pooled], {axes: [3], epsilon: 1e-3});
  },
  'dense on channels': (b, x) => b.add('Activation', [b.norm(b.dense(x, CHANNELS))], {activation: 'gelu'}),
};

/** Networks of one to four blocks, and the names of all their nodes. */
export const networks: fc.Arbitrary<Graph> = fc
  .record({
    seed: fc.integer({min: 1, max: 1e6}),
    blocks: fc.array(fc.constantFrom(...Object.values(BLOCKS)), {minLength: 1, maxLength: 4}),
    strided: fc.boolean(),
  })
  .map(({seed, blocks, strided}) => {
    const b = new GraphBuilder(seed);
    let x = relu(b, b.norm(b.conv('image', CHANNELS, {strides: strided ? [2, 2] : [1, 1]})));
    for (const block of blocks) x = block(b, x);
    return b.graph(b.dense(b.add('GlobalAveragePooling2D', [x]), CLASSES));
  });
