import {node, weight} from '../../src/network/operators';
import type {Graph, GraphNode} from '../../src/network/graph';
import {uniform} from '../reference/smallNetworks';

/** Networks with random weights: speed does not depend on what they learned. */

class Layers {
  readonly nodes: GraphNode[] = [node('InputLayer', 'image', {args: {shape: [224, 224, 3]}})];
  private readonly draw = uniform(1, -1, 1);
  private readonly channels = new Map([['image', 3]]);

  private add(made: GraphNode, channels: number): string {
    this.nodes.push(made);
    this.channels.set(made.name, channels);
    return made.name;
  }

  private random(name: string, shape: number[], reach: number, centre = 0) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) data[i] = centre + reach * this.draw();
    return weight(name, data, shape);
  }

  /** Convolution padded on all sides, batch norm, and a relu with this bound if any; the convolution is named `name`. */
  conv(
    x: string,
    name: string,
    filters: number,
    {size = 1, stride = 1, groups = 1, bound = null as number | null, relu = true, depthwise = false} = {},
  ) {
    const inner = this.channels.get(x)!;
    const pad = size >> 1;
    const padding =
      pad === 0
        ? 'valid'
        : stride === 1
          ? 'same'
          : [
              [pad, pad],
              [pad, pad],
            ];
    const args = {strides: [stride, stride], padding};
    const reach = Math.sqrt(6 / (size * size * (depthwise ? 1 : inner / groups)));
    const made = depthwise
      ? node('DepthwiseConv2D', name, {
          inputs: [x],
          args,
          weights: [this.random('kernel', [size, size, inner, 1], reach)],
        })
      : node('Conv2D', name, {
          inputs: [x],
          args: {...args, groups},
          weights: [this.random('kernel', [size, size, inner / groups, filters], reach)],
        });
    const outer = depthwise ? inner : filters;
    const convolved = this.add(made, outer);
    const weights = [
      this.random('gamma', [outer], 0.2, 0.5),
      this.random('beta', [outer], 0.2),
      this.random('moving_mean', [outer], 0.2),
      this.random('moving_variance', [outer], 0.2, 1),
    ];
    const norm = this.add(
      node('BatchNormalization', `${name}_bn`, {inputs: [convolved], args: {axis: 3, epsilon: 1e-3}, weights}),
      outer,
    );
    return relu ? this.relu(norm, `${name}_relu`, bound) : norm;
  }

  relu(x: string, name: string, maxValue: number | null = null): string {
    return this.add(node('ReLU', name, {inputs: [x], args: {maxValue}}), this.channels.get(x)!);
  }

  sum(a: string, b: string, name: string): string {
    return this.relu(this.add(node('Add', `${name}_sum`, {inputs: [a, b]}), this.channels.get(a)!), name);
  }

  pool(x: string): string {
    const args = {
      poolSize: [3, 3],
      strides: [2, 2],
      padding: [
        [1, 1],
        [1, 1],
      ],
    };
    return this.add(node('MaxPooling2D', 'pool', {inputs: [x], args}), this.channels.get(x)!);
  }

  classify(x: string): Graph {
    const channels = this.channels.get(x)!;
    const mean = this.add(node('GlobalAveragePooling2D', 'mean', {inputs: [x]}), channels);
    const weights = [
      this.random('kernel', [channels, 1000], Math.sqrt(3 / channels)),
      this.random('bias', [1000], 0.1),
    ];
    const output = this.add(node('Dense', 'logits', {inputs: [mean], weights}), 1000);
    return {nodes: this.nodes, inputs: ['image'], outputs: [output]};
  }
}

/** ResNet-50, or with 32 groups of twice the width ResNeXt-50 (32×4d). */
function residual(groups: number): Graph {
  const l = new Layers();
  let x = l.pool(l.conv('image', 'conv1', 64, {size: 7, stride: 2}));
  [3, 4, 6, 3].forEach((blocks, stage) => {
    for (let block = 0; block < blocks; block++) {
      const name = `layer${stage + 1}.${block}`;
      const width = 64 * 2 ** stage;
      const inner = groups > 1 ? 2 * width : width;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const first = l.conv(x, `${name}.conv1`, inner);
      const second = l.conv(first, `${name}.conv2`, inner, {size: 3, stride, groups});
      const third = l.conv(second, `${name}.conv3`, 4 * width, {relu: false});
      const passing = block === 0 ? l.conv(x, `${name}.downsample`, 4 * width, {stride, relu: false}) : x;
      x = l.sum(third, passing, name);
    }
  });
  return l.classify(x);
}

/** MobileNet v1 with 0.75 of its channels. */
export function mobileNet(): Graph {
  const l = new Layers();
  const filters = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
  const strided = [1, 3, 5, 11];
  let x = l.conv('image', 'conv1', 24, {size: 3, stride: 2, bound: 6});
  filters.forEach((count, i) => {
    const each = l.conv(x, `conv_dw_${i + 1}`, 0, {
      size: 3,
      stride: strided.includes(i) ? 2 : 1,
      bound: 6,
      depthwise: true,
    });
    x = l.conv(each, `conv_pw_${i + 1}`, 0.75 * count, {bound: 6});
  });
  return l.classify(x);
}

export const NETWORKS: Readonly<Record<string, () => {graph: Graph; layer: string}>> = {
  resnet50: () => ({graph: residual(1), layer: 'layer4.2.conv3'}),
  resnext50: () => ({graph: residual(32), layer: 'layer4.2.conv3'}),
  mobilenet: () => ({graph: mobileNet(), layer: 'conv_pw_13'}),
};
