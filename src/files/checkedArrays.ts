import {createHash, webcrypto} from 'node:crypto';
import path from 'node:path';
import {InputError} from '../common/errors';
import {readBytes, withBinaryFile, type BinaryFile} from './binaryFile';
import {readOpenSafetensors, type SafetensorsArray} from './safetensors';
import type {NamedFile} from './transaction';

/** Files up to this size are read once, hashed in another thread, and their arrays are views of what was read. */
const WHOLE = 256 * 2 ** 20;
/** Larger ones are read again for their hash, in such pieces. */
const PIECE = 4 * 2 ** 20;

/**
 * The arrays of a `.safetensors` file that a manifest names.
 * @param advice what to do about a damaged one, e.g. `split again`
 * @throws InputError where it is missing, or its SHA-256 is not the one in the manifest
 */
export async function readCheckedArrays(
  folder: string,
  {file: name, sha256}: NamedFile,
  advice: string,
): Promise<Map<string, SafetensorsArray>> {
  const full = path.join(folder, name);
  return withBinaryFile(full, async (file) => {
    const content = file.size <= WHOLE ? await readBytes(file, 0, file.size) : undefined;
    const [found, {arrays}] = await Promise.all([hashOf(file, content), readOpenSafetensors({...file, content})]);
    if (found === sha256) return arrays;
    throw new InputError(
      `"${full}" is damaged: its SHA-256 is ${found.slice(0, 16)}…, and the manifest says ${sha256.slice(0, 16)}…; ${advice}`,
    );
  });
}

async function hashOf(file: BinaryFile, content?: Uint8Array): Promise<string> {
  if (content) return Buffer.from(await webcrypto.subtle.digest('SHA-256', content)).toString('hex');
  const hash = createHash('sha256');
  for (let at = 0; at < file.size; at += PIECE) hash.update(await readBytes(file, at, Math.min(PIECE, file.size - at)));
  return hash.digest('hex');
}
