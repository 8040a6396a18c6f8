import {existsSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {ensureBackend} from '../engine';
import type {Model} from '../network/types';
import {knownModel} from './network';
import {KNOWN_FOLDER, loadKnownWeights} from './weights';

/**
 * How the shipped networks were taught (see `Supervision`) and whether the studied layer's inputs are sparse. Without supervision a
 * sparse start lets most channels die, so there is no such kind.
 */
export const KNOWN_KINDS = [
  'position-plain',
  'position-sparse',
  'picture-plain',
  'picture-sparse',
  'none-plain',
] as const;

export type KnownKind = (typeof KNOWN_KINDS)[number];

/** Seeds on which definitions and thresholds were chosen; results are reported on the others. */
export const TUNING_SEEDS: readonly number[] = [0];
export const REPORT_SEEDS: readonly number[] = [1, 2, 3, 4, 5];

/** @throws InputError */
export function checkKind(kind: KnownKind): void {
  if (!KNOWN_KINDS.includes(kind))
    throw new InputError(`no kind "${kind}" of known networks; kinds: ${KNOWN_KINDS.join(', ')}`);
}

/**
 * A network whose studied channels' meanings are known: by training (`CODES`), or of kind `none-plain` by measuring (`measuredMeanings`).
 * @throws InputError where the package has no such network
 */
export async function knownNetwork(kind: KnownKind, seed: number, folder = KNOWN_FOLDER): Promise<Model> {
  checkKind(kind);
  await ensureBackend();
  const file = path.join(folder, `${kind}-${seed}.safetensors`);
  if (!existsSync(file)) {
    const seeds = (existsSync(folder) ? await readdir(folder) : [])
      .map((name) => /^(.*)-(\d+)\.safetensors$/.exec(name))
      .flatMap((match) => (match?.[1] === kind ? [Number(match[2])] : []))
      .sort((a, b) => a - b);
    throw new InputError(
      `no network ${kind} of seed ${seed}; ${seeds.length > 0 ? `there are the seeds ${seeds.join(', ')}` : 'there is none of this kind'}, and npm run known:train makes others`,
    );
  }
  const {weights} = await loadKnownWeights(file);
  return knownModel(weights, `known ${kind} ${seed}`);
}
