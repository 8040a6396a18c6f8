import path from 'node:path';
import {InputError} from '../common/errors';
import {readSafetensors, writeSafetensors} from '../files/safetensors';
import {weightShapes, type KnownWeights} from './network';

/**
 * Known networks on disk: one `.safetensors` file each. A kernel is kept as bytes with a scale for each output channel,
 * w = scale·(byte − 128), so that all networks together are small enough to be part of the package; what they compute is what is kept.
 */

/** Where the package keeps them. */
export const KNOWN_FOLDER = path.join(__dirname, '../../data/known');

/** @param metadata what the file says of itself, e.g. how it was trained */
export async function saveKnownWeights(
  file: string,
  weights: KnownWeights,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const arrays: Record<string, {shape: number[]; data: Float32Array | Uint8Array}> = {};
  weights.forEach(({shape, kernel, bias}, at) => {
    const outputs = bias.length;
    const scale = new Float32Array(outputs);
    kernel.forEach((w, i) => (scale[i % outputs] = Math.max(scale[i % outputs], Math.abs(w) / 127)));
    const bytes = Uint8Array.from(kernel, (w, i) => {
      const unit = scale[i % outputs];
      return unit > 0 ? 128 + Math.round(w / unit) : 128;
    });
    arrays[`${at}.kernel`] = {shape, data: bytes};
    arrays[`${at}.scale`] = {shape: [outputs], data: scale};
    arrays[`${at}.bias`] = {shape: [outputs], data: bias};
  });
  await writeSafetensors(file, arrays, metadata);
}

/** @throws InputError where the file is missing, damaged or of another network */
export async function loadKnownWeights(
  file: string,
): Promise<{weights: KnownWeights; metadata: Record<string, string>}> {
  const {arrays, metadata} = await readSafetensors(file);
  const weights = weightShapes().map((shape, at) => {
    const outputs = shape[shape.length - 1];
    const [kernel, scale, bias] = ['kernel', 'scale', 'bias'].map((name) => arrays.get(`${at}.${name}`));
    const size = shape.reduce((product, length) => product * length, 1);
    if (
      kernel?.dtype !== 'uint8' ||
      kernel.data.length !== size ||
      bias?.dtype !== 'float32' ||
      scale?.dtype !== 'float32' ||
      bias.data.length !== outputs ||
      scale.data.length !== outputs
    ) {
      throw new InputError(
        `"${file}" holds no known network: layer ${at} needs a kernel of [${shape.join(', ')}] bytes, with scale and bias`,
      );
    }
    const scales = scale.data;
    return {
      shape,
      kernel: Float32Array.from(kernel.data, (byte, i) => (byte - 128) * scales[i % outputs]),
      bias: bias.data,
    };
  });
  return {weights, metadata};
}
