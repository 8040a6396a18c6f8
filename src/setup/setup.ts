import {mkdirSync, rmSync, statfsSync, writeFileSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import path from 'node:path';
import {setImmediate as nextTurn, setTimeout as wait} from 'node:timers/promises';
import {InputError, InterruptError} from '../common/errors';
import {startTask, type LongCallOptions} from '../common/progress';
import {backend, useWasm, type BackendChoice} from '../engine/choose';
import {buildEngine, moveIntoPlace} from './engineBuild';
import {
  cacheFolder,
  engineFolder,
  forgetFailure,
  readEngineManifest,
  readFailure,
  recordFailure,
} from '../engine/engineFolder';
import {withInterrupt} from '../engine/interrupt';
import {findNative} from '../engine/native';
import {engineSource} from '../engine/sources';
import {findCompiler, findPip, findPython, type Tool} from './tools';

export interface SetupOptions extends LongCallOptions {
  /** Builds the engine of the user's cache anew, even if it is there. @default false */
  force?: boolean;
}

/** What the wheel, the unpacked libraries and the packages take together, at most. */
const ROOM_IN_MEGABYTES = 1500;

/**
 * Installs the native engine into the user's cache, once for all projects: tfjs-node from the npm registry, TensorFlow's
 * libraries from the Python package index, joined by the system's C++ compiler; through npm, pip and the compiler as they
 * are configured. A second call finds the engine; an interrupted one resumes with what it had downloaded; two at a time wait
 * for each other. An application that has a working `@tensorflow/tfjs-node` keeps it.
 *
 * Linux x64 is tested; Linux arm64 and macOS arm64 follow the same plan, untested.
 * @returns the engine that computes from now on: WebAssembly, with the reason, where there is no native TensorFlow for the
 *   platform, or no Python with pip, or no C++ compiler
 * @throws InputError where a download, its digest, the compiler or the finished engine fails
 * @throws InterruptError where it was stopped
 */
export async function setupEngine({force = false, ...options}: SetupOptions = {}): Promise<BackendChoice> {
  const found = findNative();
  if (!('missing' in found) && (!force || found.origin === 'application')) return backend();
  const source = engineSource();
  if ('unavailable' in source) return useWasm(source.unavailable);
  const tools = await findTools();
  if ('missing' in tools) return useWasm(tools.missing);
  const folder = engineFolder(source.tensorflow);
  mkdirSync(path.dirname(folder), {recursive: true});
  await withInterrupt(options, (outer) =>
    withLock(folder, outer, options, async (signal) => {
      if (!force && readEngineManifest(folder)) return;
      assertRoom(path.dirname(folder));
      const log = path.join(cacheFolder(), 'setup.log');
      writeFileSync(log, `${new Date().toISOString()} setting up ${path.basename(folder)}\n`);
      const building = `${folder}.building`;
      await rm(building, {recursive: true, force: true});
      mkdirSync(building);
      try {
        await buildEngine(building, {...tools, ...options, source, log, signal});
        await moveIntoPlace(building, folder);
        forgetFailure(folder);
      } catch (error) {
        rmSync(building, {recursive: true, force: true});
        if (signal.aborted && !(error instanceof InterruptError))
          throw new InterruptError('the set-up was interrupted');
        if (error instanceof InputError) recordFailure(folder, error.message);
        throw error;
      }
    }),
  );
  return backend();
}

/** Why the last set-up of this platform's engine failed, if it did within the last hour. */
export function recentSetupFailure(): string | undefined {
  const source = engineSource();
  const failure = 'unavailable' in source ? undefined : readFailure(engineFolder(source.tensorflow));
  return failure && Date.now() - failure.at < 3_600_000 ? failure.reason : undefined;
}

async function findTools(): Promise<{python: Tool; compiler: Tool} | {missing: string}> {
  const [python, compiler] = await Promise.all([findPython(), findCompiler()]);
  const needs = (what: string) => ({missing: `setting up native TensorFlow needs ${what}, which was not found`});
  if (!python) return needs('Python 3');
  if (!(await findPip(python))) return needs(`pip for ${python.command} ${python.version}`);
  if (!compiler) return needs('a C++ compiler (c++, g++, clang++ or the one that CXX names)');
  return {python, compiler};
}

function assertRoom(folder: string): void {
  const {bavail, bsize} = statfsSync(folder);
  const megabytes = Math.floor((bavail * bsize) / 1e6);
  if (megabytes >= ROOM_IN_MEGABYTES) return;
  throw new InputError(
    `${folder} has ${megabytes} MB left; setting up native TensorFlow takes up to ${ROOM_IN_MEGABYTES} MB while it runs. ` +
      'Make room, or let XDG_CACHE_HOME name a folder on a larger disk.',
  );
}

/** Runs `work` while no other process sets up the same engine; a process that died keeps nobody waiting for long. */
async function withLock(
  folder: string,
  signal: AbortSignal,
  {progress}: LongCallOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  let lost = false;
  const onCompromised = () => {
    lost = true;
    stop.abort();
  };
  // Loading it adds listeners to the process's signals, which must not happen while a notebook's cell runs synchronously:
  // an interrupt of that cell would end the kernel.
  await nextTurn();
  const {default: lockfile} = await import('proper-lockfile');
  const take = () =>
    lockfile.lock(folder, {realpath: false, stale: 20_000, update: 5_000, onCompromised}).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
      throw error;
    });
  let release = await take();
  if (!release) {
    const task = startTask({label: 'waiting for another set-up of the engine', total: 1, unit: 'set-up'}, progress);
    while (!release) {
      await wait(1000, undefined, {signal}).catch(() => {
        task.finish('interrupted');
        throw new InterruptError('the set-up was interrupted');
      });
      release = await take();
    }
    task.advance(1);
    task.finish('done');
  }
  const onAbort = () => stop.abort();
  signal.addEventListener('abort', onAbort);
  try {
    if (signal.aborted) throw new InterruptError('the set-up was interrupted');
    await work(stop.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!lost) await release();
  }
}
