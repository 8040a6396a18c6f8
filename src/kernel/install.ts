import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {InputError} from '../common/errors';
import {packageRoot} from './packages';

/** Jupyter's name of the kernel, and the name of its folder. */
export const KERNEL_NAME = 'unweave';

/** Where a kernel is registered: at most one of the three; without any, for the current user. */
export interface KernelPlace {
  /** A folder: the kernel goes to `share/jupyter/kernels` in it. */
  prefix?: string;
  /** The current user's Jupyter folder. @default true, unless another place is given */
  user?: boolean;
  /** The prefix of a Python, e.g. of a virtual environment. */
  sysPrefix?: boolean;
  /** The Python that `sysPrefix` asks. @default 'python3', on Windows 'python' */
  python?: string;
}

/** Jupyter's kernel.json. */
export interface KernelSpec {
  argv: string[];
  display_name: string;
  language: string;
  interrupt_mode: 'signal';
  metadata: Record<string, unknown>;
}

/** What `kernelStatus` found. */
export interface KernelStatus {
  folder: string;
  installed: boolean;
  /** What is wrong and what to do; empty when the kernel can start. */
  problems: string[];
}

/** How Jupyter starts the kernel: tslab by this Node, with the preload in front. */
export function kernelSpec({
  preload = path.join(packageRoot(__dirname, 'unweave'), 'dist', 'kernel', 'preload.js'),
}: {preload?: string} = {}): KernelSpec {
  const manifest = createRequire(__filename).resolve('tslab/package.json');
  const {bin} = JSON.parse(readFileSync(manifest, 'utf8')) as {bin: {tslab: string}};
  const tslab = path.join(path.dirname(manifest), bin.tslab);
  return {
    argv: [process.execPath, '--require', preload, tslab, 'kernel', '--config-path', '{connection_file}'],
    display_name: 'TypeScript (unweave)',
    language: 'typescript',
    interrupt_mode: 'signal',
    metadata: {debugger: false},
  };
}

/**
 * Registers the kernel "TypeScript (unweave)" with Jupyter.
 * @returns the folder that holds its kernel.json
 * @throws InputError where two places are given, the Python does not answer, or the package was not built
 */
export function installKernel(place: KernelPlace = {}, spec: KernelSpec = kernelSpec()): string {
  const folder = kernelFolder(place);
  const [problem] = specProblems(spec);
  if (problem) throw new InputError(problem);
  mkdirSync(folder, {recursive: true});
  writeFileSync(path.join(folder, 'kernel.json'), `${JSON.stringify(spec, null, 2)}\n`);
  return folder;
}

/**
 * Removes what `installKernel` registered in the same place.
 * @returns the folder that held it, undefined where there was none
 */
export function uninstallKernel(place: KernelPlace = {}): string | undefined {
  const folder = kernelFolder(place);
  const file = path.join(folder, 'kernel.json');
  if (!existsSync(file)) return undefined;
  rmSync(file);
  if (readdirSync(folder).length === 0) rmdirSync(folder);
  return folder;
}

/** Whether the kernel is registered in a place and what it names is still there. */
export function kernelStatus(place: KernelPlace = {}): KernelStatus {
  const folder = kernelFolder(place);
  const file = path.join(folder, 'kernel.json');
  if (!existsSync(file)) {
    return {folder, installed: false, problems: ['the kernel is not registered here; run: npx unweave kernel install']};
  }
  try {
    return {folder, installed: true, problems: specProblems(JSON.parse(readFileSync(file, 'utf8')) as KernelSpec)};
  } catch {
    return {folder, installed: true, problems: [`${file} cannot be read; run again: npx unweave kernel install`]};
  }
}

/** Files that the kernel's command line names and that are not there. */
function specProblems({argv}: KernelSpec): string[] {
  return argv
    .filter((word) => path.isAbsolute(word) && !existsSync(word))
    .map((file) =>
      file.endsWith(`${path.sep}preload.js`)
        ? `the kernel's preload ${file} is missing; build the package (npm run build) or install it again, then run: npx unweave kernel install`
        : `the kernel starts ${file}, which is missing; run again: npx unweave kernel install`,
    );
}

function kernelFolder({prefix, user, sysPrefix, python}: KernelPlace): string {
  const given = Object.entries({prefix, user, sysPrefix}).filter(([, value]) => value);
  if (given.length > 1) {
    throw new InputError(`${given.map(([name]) => name).join(' and ')} name different places; give one of them`);
  }
  if (prefix) return path.join(path.resolve(prefix), 'share', 'jupyter', 'kernels', KERNEL_NAME);
  if (sysPrefix) return path.join(pythonPrefix(python), 'share', 'jupyter', 'kernels', KERNEL_NAME);
  return path.join(userData(), 'kernels', KERNEL_NAME);
}

function pythonPrefix(python = process.platform === 'win32' ? 'python' : 'python3'): string {
  try {
    return execFileSync(python, ['-c', 'import sys; print(sys.prefix)'], {encoding: 'utf8'}).trim();
  } catch {
    throw new InputError(`cannot run the Python "${python}"; name the one that Jupyter runs on, e.g. .venv/bin/python`);
  }
}

/** Jupyter's per-user data folder: JUPYTER_DATA_DIR, else the platform's own place. */
function userData(): string {
  const {JUPYTER_DATA_DIR, XDG_DATA_HOME, APPDATA} = process.env;
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Jupyter');
  if (process.platform === 'win32' && APPDATA) return path.join(APPDATA, 'jupyter');
  return path.join(XDG_DATA_HOME || path.join(os.homedir(), '.local', 'share'), 'jupyter');
}
