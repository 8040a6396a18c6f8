import {InputError} from '../../common/errors';
import type {Graph} from '../../network/graph';
import {bind, isStored, type CheckpointWeight} from './bind';
import {ARCHITECTURES, type Architecture} from './registry';

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
