import {randomUUID} from 'node:crypto';
import {rename, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {setImmediate as nextTurn, setTimeout as wait} from 'node:timers/promises';
import {InputError} from '../common/errors';
import {parseJson} from '../common/json';
import {cannotWrite, makeFolder} from './output';
import {readRegularFile} from './regularFile';

/** A lock whose holder shows no sign of life for so long is taken over. */
const STALE_MS = 20_000;

/** Two that take one over at the same time have both signed after this; the last to sign has it. */
const SETTLE_MS = 30;
/** Who has a lock signs it within this. */
const SIGN_MS = 1000;

/** Names of the lock's entries inside the folder that it is on. */
export const LOCK_ENTRIES = ['.unweave-lock', '.unweave-lock-holder.json'] as const;

interface Holder {
  id: string;
  pid: number;
  host: string;
  since: string;
}

/** Ids of the locks that this process has, all copies of the package together. */
const HELD = Symbol.for('unweave.heldLocks');
const held = ((globalThis as {[HELD]?: Set<string>})[HELD] ??= new Set());

/**
 * Makes this process the only one that writes to the folder, which exists. The lock of a process of this machine that died is taken over
 * at once, any other one as soon as its holder has been silent for twenty seconds.
 * @returns gives it back
 * @throws InputError that names the holder
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  // Loaded when it is needed and not before the next turn: it listens for signals from then on, and an interrupt of a cell that runs
  // synchronously would end the kernel.
  await nextTurn();
  const {lock} = await import('proper-lockfile');
  const [lockPath, holderPath] = LOCK_ENTRIES.map((entry) => path.join(folder, entry));
  const me: Holder = {id: randomUUID(), pid: process.pid, host: os.hostname(), since: new Date().toISOString()};
  held.add(me.id);
  const take = () =>
    // A lock that is lost (a clock set forward, a machine that slept) must not end the process; the next write sees whose it is.
    lock(folder, {lockfilePath: lockPath, stale: STALE_MS, update: STALE_MS / 4, onCompromised: () => {}});
  const isTaken = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ELOCKED';
  let release: (() => Promise<void>) | undefined;
  try {
    release = await take().catch(async (error: unknown) => {
      if (!isTaken(error) || !(await isAbandoned(holderPath))) throw error;
      // Two may find it so: renaming lets one of them take it away.
      const aside = `${lockPath}-${me.id}`;
      await rename(lockPath, aside).catch(() => {});
      await rm(aside, {recursive: true, force: true});
      return take();
    });
    await writeFile(holderPath, JSON.stringify(me));
    await wait(SETTLE_MS);
    if ((await holderOf(holderPath))?.id !== me.id) throw inUse(folder, await holderOf(holderPath));
  } catch (error) {
    held.delete(me.id);
    // Signed by another, it is the other's.
    if (release && !(await holderOf(holderPath))) {
      await rm(holderPath, {force: true}).catch(() => {});
      await release().catch(() => {});
    }
    if (error instanceof InputError) throw error;
    throw isTaken(error) ? inUse(folder, await holderOf(holderPath)) : cannotWrite(folder, error);
  }
  return async () => {
    held.delete(me.id);
    const holder = await holderOf(holderPath);
    if (holder?.id === me.id) await rm(holderPath, {force: true}).catch(() => {});
    await release?.().catch(() => {});
  };
}

/**
 * Makes a folder where it is absent, and lets this process alone write to it for as long as `work` takes. Where that fails, a folder that
 * was made and holds nothing goes again.
 * @throws InputError where it cannot be made, or another process writes to it
 */
export async function inLockedFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const takeAway = await makeFolder(folder);
  try {
    const release = await lockFolder(folder);
    try {
      return await work();
    } finally {
      await release();
    }
  } finally {
    await takeAway();
  }
}

async function holderOf(file: string): Promise<Holder | undefined> {
  try {
    const {id, pid, host, since} = parseJson(String(await readRegularFile(file, 10_000))) as Partial<Holder>;
    const isHolder =
      typeof id === 'string' && Number.isSafeInteger(pid) && typeof host === 'string' && typeof since === 'string';
    return isHolder ? ({id, pid, host, since} as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the holder was a process of this machine that is not there any more, or died before it could sign; or this one, where the disk did
 * not let it give the lock back, or one that had the same number, as in a container that was started again.
 */
async function isAbandoned(file: string): Promise<boolean> {
  const signBy = performance.now() + SIGN_MS;
  let holder = await holderOf(file);
  while (!holder && performance.now() < signBy) {
    await wait(SETTLE_MS);
    holder = await holderOf(file);
  }
  if (!holder) return true;
  if (holder.host !== os.hostname()) return false;
  if (holder.pid === process.pid) return !held.has(holder.id);
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function inUse(folder: string, holder: Holder | undefined): InputError {
  const who = !holder
    ? 'another process'
    : holder.pid === process.pid && holder.host === os.hostname()
      ? 'another call of this process'
      : `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return new InputError(`"${folder}" is being written to by ${who}; wait until it has ended, or choose another folder`);
}
