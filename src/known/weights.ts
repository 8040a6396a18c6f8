import path from 'node:path';
import {brotliCompressSync, brotliDecompressSync} from 'node:zlib';
import {InputError} from '../common/errors';
import {readSafetensors, writeSafetensors} from '../files/safetensors';
import {weightShapes, type KnownWeights} from './network';

/**
 * Known networks on disk: one `.safetensors` file each. A kernel is kept as bytes with a scale for each output channel,
 * w = scale·(byte − 128), and the bytes of all layers together are compressed (Brotli, RFC 7932), so that all networks are small enough to
 * be part of the package; what they compute is what is kept.
 */

/** Where the package keeps them. */
export const KNOWN_FOLDER = path.join(__dirname, '../../data/known');

/** Sizes of the kernels and of the biases, layer by layer. */
const LAYERS = weightShapes().map((shape) => ({
  shape,
  size: shape.reduce((product, length) => product * length, 1),
  outputs: shape[shape.length - 1],
}));
const total = (of: 'size' | 'outputs') => LAYERS.reduce((sum, layer) => sum + layer[of], 0);

/** @param metadata what the file says of itself, e.g. how it was trained */
export async function saveKnownWeights(
  file: string,
  weights: KnownWeights,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const scales = weights.map(({kernel, bias: {length: outputs}}) => {
    const scale = new Float32Array(outputs);
    kernel.forEach((w, i) => (scale[i % outputs] = Math.max(scale[i % outputs], Math.abs(w) / 127)));
    return scale;
  });
  const bytes = weights.flatMap(({kernel}, at) =>
    Array.from(kernel, (w, i) => {
      const unit = scales[at][i % scales[at].length];
      return unit > 0 ? 128 + Math.round(w / unit) : 128;
    }),
  );
  const kernels = Uint8Array.from(brotliCompressSync(Uint8Array.from(bytes)));
  const joined = (arrays: readonly Float32Array[]) => {
    const data = Float32Array.from(arrays.flatMap((array) => Array.from(array)));
    return {shape: [data.length], data};
  };
  const biases = joined(weights.map(({bias}) => bias));
  await writeSafetensors(
    file,
    {kernels: {shape: [kernels.length], data: kernels}, scales: joined(scales), biases},
    metadata,
  );
}

/** @throws InputError where the file is missing, damaged or of another network */
export async function loadKnownWeights(
  file: string,
): Promise<{weights: KnownWeights; metadata: Record<string, string>}> {
  const {arrays, metadata} = await readSafetensors(file);
  const [kernels, scales, biases] = ['kernels', 'scales', 'biases'].map((name) => arrays.get(name)?.data);
  const bytes = kernels instanceof Uint8Array ? unpacked(kernels, total('size')) : undefined;
  const floats = (data: unknown): data is Float32Array =>
    data instanceof Float32Array && data.length === total('outputs');
  if (bytes?.length !== total('size') || !floats(scales) || !floats(biases)) {
    throw new InputError(
      `"${file}" holds no known network: it needs ${total('size')} bytes of kernels, and as many scales and biases as there are outputs (${total('outputs')})`,
    );
  }
  let [from, first] = [0, 0];
  const weights = LAYERS.map(({shape, size, outputs}) => {
    const [own, scale] = [bytes.subarray(from, from + size), scales.slice(first, first + outputs)];
    const bias = biases.slice(first, first + outputs);
    from += size;
    first += outputs;
    return {shape, kernel: Float32Array.from(own, (byte, i) => (byte - 128) * scale[i % outputs]), bias};
  });
  return {weights, metadata};
}

/** Undefined where they are not what was compressed, or more than `size` bytes. */
function unpacked(packed: Uint8Array, size: number): Uint8Array | undefined {
  try {
    return brotliDecompressSync(packed, {maxOutputLength: size});
  } catch {
    return undefined;
  }
}
