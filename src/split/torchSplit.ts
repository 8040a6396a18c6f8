import {InputError} from '../common/errors';
import {refuseForeignFile, refuseInput} from '../files/output';
import {writeSafetensors, type SafetensorsArray} from '../files/safetensors';
import {linearLayer} from '../network/linearLayer';
import {nodeOf, type Graph} from '../network/graph';
import {shapesOf} from '../network/operators';
import type {Split} from './types';

/** What {@link saveTorchSplit} writes into the file's metadata as `unweave`. */
const FORMAT = 'torch split 1';

/**
 * Writes a split for PyTorch: a `.safetensors` file from which a few lines of Python (docs/pytorch.md) compute the named layer's
 * channel as its parts and their sum. It holds, in PyTorch's order of axes,
 * - `parts` [k + 1, Cin, kh, kw], or [k + 1, Cin] for a linear layer: the concepts' kernels d_1 … d_k, then the residue r,
 * - `bias` [k + 1]: a bias belongs to every concept and to the residue,
 * - `merge` [k + 1]: 1 for each concept and −(k − 1) for the residue, so that `merge · parts` is the original channel,
 * - metadata: `layer`, `channel`, `rule`, `before` (the model's hash), and `concepts` as JSON, [{classes, classNames}].
 * @param options.force write whatever the file holds
 * @throws InputError where the file's name does not end in `.safetensors`, it is the file that the model was read from, was not made by unweave
 *   (unless `force`), or cannot be written
 */
export async function saveTorchSplit(
  split: Split,
  file: string,
  {force = false}: {force?: boolean} = {},
): Promise<void> {
  if (!/\.safetensors$/i.test(file)) {
    throw new InputError(`"${file}" must end in .safetensors, the format that it is written in`);
  }
  const {layer, channel, concepts, rule, parts, residue, bias, kernelShape, before} = split;
  await refuseInput(file, [before.source]);
  await refuseForeignFile(file, FORMAT, force);
  const kernels = [...parts, residue];
  const k = parts.length;
  const dense = linearLayer(before.graph, layer).kind === 'dense';
  const shape = dense ? [k + 1, kernelShape[2]] : [k + 1, kernelShape[2], kernelShape[0], kernelShape[1]];
  const positions = dense ? flattenedPositions(before.graph, layer) : kernelShape[0] * kernelShape[1];
  const turned = kernels.map((kernel) => sourcesFirst(kernel, positions));
  const all = new Float32Array(turned.reduce((sum, kernel) => sum + kernel.length, 0));
  turned.forEach((kernel, j) => all.set(kernel, j * kernel.length));
  const arrays: Record<string, Pick<SafetensorsArray, 'shape' | 'data'>> = {
    parts: {shape, data: all},
    bias: {shape: [k + 1], data: new Float32Array(k + 1).fill(bias)},
    merge: {shape: [k + 1], data: Float32Array.from({length: k + 1}, (_, j) => (j < k ? 1 : 1 - k))},
  };
  await writeSafetensors(file, arrays, {
    format: 'pt',
    unweave: FORMAT,
    layer,
    channel: String(channel),
    rule,
    before: before.hash,
    concepts: JSON.stringify(concepts.map(({classes, classNames}) => ({classes, classNames}))),
  });
}

/** [positions, sources] → [sources, positions]. */
function sourcesFirst(kernel: Float32Array, positions: number): Float32Array {
  const sources = kernel.length / positions;
  const turned = new Float32Array(kernel.length);
  for (let position = 0; position < positions; position += 1) {
    for (let i = 0; i < sources; i += 1) turned[i * positions + position] = kernel[position * sources + i];
  }
  return turned;
}

/** Positions of the map that is flattened right before a linear layer: PyTorch counts its inputs channels first. 1 where none is. */
function flattenedPositions(graph: Graph, layer: string): number {
  const before = nodeOf(graph, nodeOf(graph, layer).inputs[0]);
  if (before.operator !== 'Reshape') return 1;
  const map = shapesOf(graph).get(before.inputs[0]);
  return map?.length === 3 ? map[0] * map[1] : 1;
}
