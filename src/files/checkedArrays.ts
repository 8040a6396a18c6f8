import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import path from 'node:path';
import {InputError} from '../common/errors';
import {reasonOf} from './binaryFile';
import {readSafetensors, type SafetensorsArray} from './safetensors';
import type {NamedFile} from './transaction';

/**
 * The arrays of a `.safetensors` file that a manifest names.
 * @param advice what to do about a damaged one, e.g. `split again`
 * @throws InputError where it is missing, or its SHA-256 is not the one in the manifest
 */
export async function readCheckedArrays(
  folder: string,
  {file, sha256}: NamedFile,
  advice: string,
): Promise<Map<string, SafetensorsArray>> {
  const full = path.join(folder, file);
  const {arrays} = await readSafetensors(full);
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(full, {highWaterMark: 4 * 2 ** 20})) hash.update(piece as Buffer);
  } catch (error) {
    throw new InputError(`cannot read ${full}: ${reasonOf(error)}`);
  }
  const found = hash.digest('hex');
  if (found === sha256) return arrays;
  throw new InputError(
    `"${full}" is damaged: its SHA-256 is ${found.slice(0, 16)}…, and the manifest says ${sha256.slice(0, 16)}…; ${advice}`,
  );
}
