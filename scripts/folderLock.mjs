import {mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {clearInterval, setInterval} from 'node:timers';
import {setTimeout as wait} from 'node:timers/promises';

/** A holder that shows no sign of life for so long is gone, even if its number belongs to another process by now. */
const SILENCE_MS = 30_000;

/** Makes the lock's folder, which only one process can, and signs it; false where another has it. */
async function take(lock) {
  try {
    mkdirSync(lock);
    writeFileSync(path.join(lock, 'pid'), String(process.pid));
  } catch (error) {
    if (error.code === 'EEXIST' || error.code === 'ENOENT') return false;
    throw error;
  }
  // Another process may just have removed it, taking it for the lock of a dead one.
  await wait(50);
  return holderOf(lock) === process.pid;
}

function holderOf(lock) {
  try {
    return Number(readFileSync(path.join(lock, 'pid'), 'utf8'));
  } catch {
    return undefined;
  }
}

function isAbandoned(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > SILENCE_MS) return true;
    const holder = holderOf(lock);
    if (holder === undefined) return false;
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Runs `work` while no other process of this machine holds `lock`. The lock of a process that died is removed. */
export async function withFolderLock(lock, say, work) {
  let waiting = false;
  while (!(await take(lock))) {
    if (isAbandoned(lock)) rmSync(lock, {recursive: true, force: true});
    else if (!waiting) say('waiting for another set-up of this folder …');
    waiting = true;
    await wait(300);
  }
  const release = () => holderOf(lock) === process.pid && rmSync(lock, {recursive: true, force: true});
  const sign = setInterval(() => utimesSync(lock, new Date(), new Date()), SILENCE_MS / 6);
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(sign);
    process.off('exit', release);
    release();
  }
}
