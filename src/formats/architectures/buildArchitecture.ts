import {option} from '../../common/options';
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
 * @throws InputError for an unknown name, and for weights that are missing, left over or of another shape; it says which, and
 * which architecture they would fit
 */
export function buildArchitecture(name: string, weights: ReadonlyMap<string, CheckpointWeight>): Graph {
  const architecture = architectureOf(name);
  const plan = architecture.plan(classesIn(architecture, weights));
  const misfit = misfitOf(architecture, weights);
  if (misfit.count > 0) {
    throw new InputError(
      `the checkpoint's weights do not fit ${name}: ${misfit.words}. ${adviceFor(architecture, weights)}`,
    );
  }
  const nodes = plan.map((node) => bind(node, weights));
  return {nodes, inputs: [nodes[0].name], outputs: [nodes[nodes.length - 1].name]};
}

function architectureOf(name: string): Architecture {
  const architecture = ARCHITECTURES.find((candidate) => candidate.name === name);
  if (architecture) return architecture;
  throw new InputError(
    `unknown architecture "${name}"; known are ${ARCHITECTURES.map((candidate) => candidate.name).join(', ')}`,
  );
}

/** As many classes as the last layer has rows; 1 where it is missing or no matrix, which the comparison then reports. */
function classesIn({head}: Architecture, weights: ReadonlyMap<string, CheckpointWeight>): number {
  const shape = weights.get(head)?.shape;
  return shape?.length === 2 ? Math.max(1, shape[0]) : 1;
}

/** How many weights do not fit an architecture, and in words which. */
function misfitOf(
  architecture: Architecture,
  weights: ReadonlyMap<string, CheckpointWeight>,
): {count: number; words: string} {
  const expected = expectedWeights(architecture.name, classesIn(architecture, weights));
  const missing = [...expected.keys()].filter((key) => !weights.has(key));
  const extra = [...weights.keys()].filter((key) => !expected.has(key));
  const reshaped = [...expected]
    .filter(([key, shape]) => weights.has(key) && String(weights.get(key)?.shape) !== String(shape))
    .map(([key, shape]) => `${key} is [${weights.get(key)?.shape.join(', ')}] instead of [${shape.join(', ')}]`);
  const parts = [
    missing.length > 0 ? `${missing.length} of ${expected.size} ${are(missing)} missing (${firstOf(missing)})` : '',
    extra.length > 0 ? `${extra.length} ${are(extra)} left over (${firstOf(extra)})` : '',
    reshaped.length > 0
      ? `${reshaped.length} ${reshaped.length === 1 ? 'has' : 'have'} another shape (${firstOf(reshaped)})`
      : '',
  ];
  return {count: missing.length + extra.length + reshaped.length, words: parts.filter(Boolean).join('; ')};
}

/** Which architecture the weights fit, or come closest to. */
function adviceFor(named: Architecture, weights: ReadonlyMap<string, CheckpointWeight>): string {
  const ranked = ARCHITECTURES.map(({name}, i) => ({name, count: misfitOf(ARCHITECTURES[i], weights).count}));
  const best = ranked.reduce((nearest, candidate) => (candidate.count < nearest.count ? candidate : nearest));
  if (best.count === 0) return `They fit ${best.name}: give it as ${option('arch')}`;
  const near = best.name === named.name ? 'that one' : `${best.name}, where ${best.count} do not fit`;
  return `Of the known architectures (${ranked.map(({name}) => name).join(', ')}) the nearest is ${near}`;
}

function are({length}: readonly string[]): string {
  return length === 1 ? 'is' : 'are';
}

function firstOf(names: readonly string[]): string {
  const more = names.length - 10;
  return names.slice(0, 10).join(', ') + (more > 0 ? ` and ${more} more` : '');
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
