/** Puts a checkpoint's weights into a plan: PyTorch's outputs-first arrays become channels-last ones. */
import type {GraphNode, Weight} from '../../network/graph';
import type {PlannedNode, StoredWeight} from './plan';

/** A weight's shape and row-major values, as a checkpoint has them. */
export interface CheckpointWeight {
  shape: readonly number[];
  data: Float32Array;
}

export function isStored(weight: StoredWeight | Weight): weight is StoredWeight {
  return 'storedShape' in weight;
}

export function bind(
  {weights: planned, ...node}: PlannedNode,
  weights: ReadonlyMap<string, CheckpointWeight>,
): GraphNode {
  return {
    ...node,
    weights: planned.map((weight) => {
      if (!isStored(weight)) return weight;
      const {data} = weights.get(weight.key) as CheckpointWeight;
      return {name: weight.name, ...ordered(weight, data)};
    }),
  };
}

function ordered({storedShape, order, map}: StoredWeight, data: Float32Array): {shape: number[]; data: Float32Array} {
  if (order === undefined) return {shape: storedShape, data};
  const [outputs, inputs, ...taps] = storedShape;
  const count = taps.reduce((product, length) => product * length, 1);
  const moved = outputsLast(data, outputs, inputs, count);
  if (order === 'depthwise') return {shape: [...taps, outputs, 1], data: moved};
  if (order === 'kernel') return {shape: [...taps, inputs, outputs], data: moved};
  // The inputs are [channels, height, width]; turned to [height, width, channels].
  const positions = (map as readonly [number, number])[0] * (map as readonly [number, number])[1];
  return {shape: [inputs, outputs], data: outputsLast(data, outputs, inputs / positions, positions)};
}

/** [out, in, taps] → [taps, in, out]. */
function outputsLast(data: Float32Array, outputs: number, inputs: number, taps: number): Float32Array {
  const moved = new Float32Array(data.length);
  for (let o = 0, from = 0; o < outputs; o += 1) {
    for (let i = 0; i < inputs; i += 1) {
      for (let tap = 0; tap < taps; tap += 1, from += 1) moved[(tap * inputs + i) * outputs + o] = data[from];
    }
  }
  return moved;
}
