/** Numbers from a formula, the same here and in test/reference/torch/seeded.py, so that large networks need no large files. */

/** Item i of the array called `name`, scaled from [0, 1) to [low, high). */
export function between(name: string, size: number, low: number, high: number): Float32Array {
  let seed = 0x811c9dc5; // FNV-1a
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i += 1) {
    let x = seed + Math.imul(i, 0x9e3779b9);
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b); // the finaliser of MurmurHash3
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x = (x ^ (x >>> 16)) >>> 0;
    values[i] = low + (high - low) * ((x >>> 8) / 2 ** 24);
  }
  return values;
}

/** Weights of a network by their PyTorch names and shapes. */
export function seededWeights(
  shapes: ReadonlyMap<string, number[]>,
): Map<string, {shape: number[]; data: Float32Array}> {
  return new Map([...shapes].map(([name, shape]) => [name, {shape, data: seededWeight(name, shape)}]));
}

function seededWeight(name: string, shape: number[]): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  if (name.endsWith('running_var')) return between(name, size, 0.5, 1.5);
  if (shape.length === 1) {
    const low = name.endsWith('weight') ? 0.25 : -0.25;
    return between(name, size, low, low + 0.5);
  }
  const bound = Math.sqrt(6 / (size / shape[0]));
  return between(name, size, -bound, bound);
}

/** [count, size, size, 3] */
export function seededImages(count: number, size: number): Float32Array {
  return between('images', count * size * size * 3, -2, 2);
}
