import {existsSync} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {Worker} from 'node:worker_threads';
import {InputError} from '../../common/errors';
import {readBytes, withBinaryFile} from '../../files/binaryFile';
import {foreignKind} from '../../files/foreignKind';
import type {FromHdf5, Hdf5Job} from './hdf5Messages';
import type {StoredArray} from './weights';

/** An HDF5 file in memory; paths are such as `model_weights/conv1`. */
export interface Hdf5File {
  /** What messages call it. */
  name: string;
  /** Names in a group, in alphabetical order; none where there is no such group. */
  keys(group: string): readonly string[];
  /** An attribute of text; undefined where it or its group is absent. */
  attribute(group: string, name: string): unknown;
  /** An array of numbers; undefined where there is none of that path. */
  array(place: string): StoredArray | undefined;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/**
 * How long the library may be silent as it starts or reads one array: of processor time, which a busy machine does not use up, and in
 * all, where it waits for a disk that does not answer.
 */
const PATIENCE = {processorMs: 4_000, ms: 60_000, msPerByte: 1e-3, lookMs: 250};

/**
 * Reads an HDF5 file, what an optimiser left in it aside. It is read in a thread of its own, which a damaged file may stop.
 * @param called what messages call it
 * @throws InputError where it is missing, something else, truncated or damaged
 */
export async function readHdf5(file: string, called = file): Promise<Hdf5File> {
  const size = await withBinaryFile(file, async (opened) => {
    const head = await readBytes(opened, 0, Math.min(opened.size, 512));
    if (!SIGNATURE.every((byte, at) => head[at] === byte)) {
      throw new InputError(`"${called}" is ${foreignKind(head)}, not an HDF5 file of Keras`);
    }
    return opened.size;
  });
  const groups = new Map<string, Extract<FromHdf5, {kind: 'group'}>>();
  const arrays = new Map<string, StoredArray>();
  const job: Hdf5Job = {file: path.resolve(file), size, library: libraryUrl()};
  await inThread(job, called, (message) => {
    if (message.kind === 'group') groups.set(message.path, message);
    else if (message.kind === 'array') {
      arrays.set(message.path, {name: message.path, shape: message.shape, data: () => message.data});
    }
  });
  return {
    name: called,
    keys: (group) => groups.get(group)?.keys ?? [],
    attribute(group, name) {
      const {attributes = {}} = groups.get(group) ?? {};
      return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    },
    array: (place) => arrays.get(place),
  };
}

function damaged(called: string, reason: string): InputError {
  return new InputError(
    `"${called}" is a damaged or truncated HDF5 file${reason ? ` (${reason})` : ''}; copy it again, or save the model again`,
  );
}

/** @throws InputError where the thread says so, ends before it is done, or is silent for too long */
async function inThread(job: Hdf5Job, called: string, receive: (message: FromHdf5) => void): Promise<void> {
  const worker = new Worker(threadCode(), {
    eval: true,
    workerData: job,
    // What the library prints as it aborts is said by the error.
    stdout: true,
    stderr: true,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const more = job.size * PATIENCE.msPerByte;
      let [processor, heard] = [process.cpuUsage(), performance.now()];
      const wait = () => ([processor, heard] = [process.cpuUsage(), performance.now()]);
      timer = setInterval(() => {
        const {user, system} = process.cpuUsage(processor);
        const overdue =
          (user + system) / 1000 > PATIENCE.processorMs + more || performance.now() - heard > PATIENCE.ms + more;
        if (overdue) reject(damaged(called, 'reading it does not end'));
      }, PATIENCE.lookMs);
      worker.on('message', (message: FromHdf5) => {
        wait();
        if (message.kind === 'done') resolve();
        else if (message.kind === 'damaged') reject(damaged(called, message.reason));
        else if (message.kind === 'refused') reject(new InputError(`"${called}" is damaged: ${message.why}`));
        else receive(message);
      });
      worker.on('error', () => reject(damaged(called, '')));
      worker.on('exit', () => reject(damaged(called, '')));
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}

/** Among the sources the thread's module is TypeScript, as this file is, which a thread does not run by itself. */
function threadCode(): string {
  const extension = path.extname(__filename);
  const modules = [path.join(__dirname, `hdf5Worker${extension}`)];
  if (extension === '.ts') modules.unshift(require.resolve('tsx/cjs'));
  return modules.map((file) => `require(${JSON.stringify(file)});`).join('');
}

/** The library is an ECMAScript module that `require.resolve` does not find. */
function libraryUrl(): string {
  const file = (require.resolve.paths('h5wasm') ?? [])
    .map((modules) => path.join(modules, 'h5wasm', 'dist', 'node', 'hdf5_hl.js'))
    .find(existsSync);
  if (!file) throw new InputError('h5wasm is not installed, which reads HDF5 files; run npm install h5wasm');
  return pathToFileURL(file).href;
}
