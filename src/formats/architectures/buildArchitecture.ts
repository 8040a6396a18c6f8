import {InputError} from '../../common/errors';
import type {Graph, GraphNode, Weight} from '../../network/graph';
import type {Plan, PlannedNode, StoredWeight} from './plan';
import {cifarResNet, torchvisionResNet} from './resnets';

/** A network that a checkpoint can bring the weights of. */
export interface Architecture {
  name: string;
  /** The preprocessing that its published checkpoints were trained with. */
  preset: 'torch-imagenet' | 'cifar';
  /** [H, W, C] */
  inputShape: readonly [number, number, number];
  /** PyTorch name of the last layer's weight, [classes, features]. */
  head: string;
  plan(classes: number): Plan;
}

/** A weight's shape and row-major values, as a checkpoint has them. */
export interface CheckpointWeight {
  shape: readonly number[];
  data: Float32Array;
}

function torchvision(name: string, blocks: readonly number[], bottleneck: boolean, width = 1): Architecture {
  const plan = (classes: number) => torchvisionResNet({blocks, bottleneck, width, classes});
  return {name, preset: 'torch-imagenet', inputShape: [224, 224, 3], head: 'fc.weight', plan};
}

function cifar(depth: number): Architecture {
  const plan = (classes: number) => cifarResNet({blocks: (depth - 2) / 6, classes});
  return {name: `resnet${depth}`, preset: 'cifar', inputShape: [32, 32, 3], head: 'linear.weight', plan};
}

/** The networks that are known by name: torchvision's for ImageNet, and those with option-A shortcuts for CIFAR. */
export const ARCHITECTURES: readonly Architecture[] = [
  torchvision('resnet18', [2, 2, 2, 2], false),
  torchvision('resnet34', [3, 4, 6, 3], false),
  torchvision('resnet50', [3, 4, 6, 3], true),
  torchvision('resnet101', [3, 4, 23, 3], true),
  torchvision('resnet152', [3, 8, 36, 3], true),
  torchvision('wide_resnet50_2', [3, 4, 6, 3], true, 2),
  ...[20, 32, 44, 56, 110].map(cifar),
];

/** PyTorch names and shapes of the weights that an architecture with so many classes needs. */
export function expectedWeights(name: string, classes: number): Map<string, number[]> {
  const stored = architectureOf(name)
    .plan(classes)
    .flatMap(({weights}) => weights.filter(isStored));
  return new Map(stored.map(({key, storedShape}) => [key, storedShape]));
}

/**
 * The graph of a known architecture with a checkpoint's weights; nodes are named as PyTorch names the modules, the output is
 * the logits. Kernels are reordered from [out, in, kh, kw] to [kh, kw, in, out], and from [out, in] to [in, out].
 * @throws InputError for an unknown name, and for a weight that is missing or of another shape
 */
export function buildArchitecture(name: string, weights: ReadonlyMap<string, CheckpointWeight>): Graph {
  const architecture = architectureOf(name);
  const classes = Math.max(1, weights.get(architecture.head)?.shape.at(0) ?? 1);
  for (const [key, shape] of expectedWeights(name, classes)) {
    const found = weights.get(key)?.shape;
    if (String(found) !== String(shape)) {
      throw new InputError(
        `weight "${key}" of ${name} is ${found ? `[${found.join(', ')}]` : 'missing'}; it must be [${shape.join(', ')}]`,
      );
    }
  }
  const nodes = architecture.plan(classes).map((node) => bind(node, weights));
  return {nodes, inputs: [nodes[0].name], outputs: [nodes[nodes.length - 1].name]};
}

function architectureOf(name: string): Architecture {
  const architecture = ARCHITECTURES.find((candidate) => candidate.name === name);
  if (architecture) return architecture;
  throw new InputError(
    `unknown architecture "${name}"; known are ${ARCHITECTURES.map((candidate) => candidate.name).join(', ')}`,
  );
}

function isStored(weight: StoredWeight | Weight): weight is StoredWeight {
  return 'storedShape' in weight;
}

function bind({weights: planned, ...node}: PlannedNode, weights: ReadonlyMap<string, CheckpointWeight>): GraphNode {
  return {
    ...node,
    weights: planned.map((weight) => {
      if (!isStored(weight)) return weight;
      const {name, key, storedShape} = weight;
      const {data} = weights.get(key) as CheckpointWeight;
      return storedShape.length === 1 ? {name, shape: storedShape, data} : {name, ...outputsLast(storedShape, data)};
    }),
  };
}

/** [out, in, …taps] → [...taps, in, out]. */
function outputsLast([outputs, inputs, ...taps]: number[], data: Float32Array): {shape: number[]; data: Float32Array} {
  const count = taps.reduce((product, length) => product * length, 1);
  const moved = new Float32Array(data.length);
  for (let o = 0, from = 0; o < outputs; o += 1) {
    for (let i = 0; i < inputs; i += 1) {
      for (let tap = 0; tap < count; tap += 1, from += 1) moved[(tap * inputs + i) * outputs + o] = data[from];
    }
  }
  return {shape: [...taps, inputs, outputs], data: moved};
}
