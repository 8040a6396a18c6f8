import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import {ensureBackend} from '../../src/engine';
import {saveModel} from '../../src/formats/save';
import {COMMAND} from './commandArguments';
import {CLASSES, SIDE, smallImages, smallModel} from './smallNetworks';

let folder = '';

/** A path in the folder that the commands run in. */
export const at = (...parts: string[]): string => path.join(folder, ...parts);

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command from another folder than the repository's; once stderr has a line as `interruptAt`, the signals are sent. @default Ctrl-C */
export function unweave(
  args: string[],
  {interruptAt, signals = ['SIGINT']}: {interruptAt?: RegExp; signals?: readonly NodeJS.Signals[]} = {},
): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...COMMAND, ...args], {
      cwd: folder,
      env: {...process.env, UNWEAVE_BACKEND: process.env['UNWEAVE_BACKEND'] ?? 'wasm'},
    });
    const run = {stdout: '', stderr: ''};
    let interrupted = false;
    child.stdout.on('data', (data: Buffer) => (run.stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => {
      run.stderr += data.toString();
      if (interrupted || !interruptAt?.test(run.stderr)) return;
      interrupted = true;
      signals.forEach((signal, n) => setTimeout(() => child.kill(signal), 5 * n));
    });
    child.on('close', (code) => resolve({...run, code}));
  });
}

/** The JSON that a command prints. */
export async function succeeds<T>(...args: string[]): Promise<T> {
  const {code, stdout, stderr} = await unweave([...args, '--json']);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim().split('\n').length, 1, `one JSON object on stdout: ${stdout}`);
  return JSON.parse(stdout) as T;
}

/** A command that ends with code 1 and one message on stderr. */
export async function fails(pattern: RegExp, ...args: string[]): Promise<void> {
  const {code, stdout, stderr} = await unweave(args);
  assert.match(stderr, pattern);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.ok(!/ at .*\.[jt]s:\d+/.test(stderr), `no stack: ${stderr}`);
}

/** A folder with a small model, images in class folders, and the same images flat with a file of labels. */
export async function makeFolder(): Promise<void> {
  folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-cli-'));
  await ensureBackend();
  await saveModel(smallModel({kind: 'conv', size: 3, softmax: true}), at('model'));
  const images = smallImages(40);
  const labels = images.labelsFor(CLASSES);
  const rows = ['file,label'];
  await mkdir(at('flat'), {recursive: true});
  for (const [index, label] of labels.entries()) {
    const pixels = await images.pixels(index, {height: SIDE, width: SIDE});
    const png = sharp(pixels, {raw: {width: SIDE, height: SIDE, channels: 3}}).png();
    await mkdir(at('images', `class${label}`), {recursive: true});
    await png.toFile(at('images', `class${label}`, `${index}.png`));
    await png.toFile(at('flat', `${index}.png`));
    rows.push(`${index}.png,${label}`);
  }
  await writeFile(at('labels.csv'), rows.join('\n'));
}

export const removeFolder = (): Promise<void> => rm(folder, {recursive: true, force: true});
