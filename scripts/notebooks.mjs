import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const requirements = fileURLToPath(new URL('notebook-requirements.txt', import.meta.url));

const folders = (root) => {
  const environment = path.join(root, '.venv');
  const python = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  return {environment, python: path.join(environment, ...python), stamp: path.join(environment, '.unweave')};
};

/** What the environment is made from; the paths, because environments and kernels cannot be moved. */
const made = (root) =>
  createHash('sha256').update(readFileSync(requirements)).update(root).update(process.execPath).digest('hex');

export function notebooksReady(root) {
  const {stamp, python} = folders(root);
  return existsSync(stamp) && existsSync(python) && readFileSync(stamp, 'utf8') === made(root);
}

/** A virtual environment with what executes notebooks, and this repository's kernels: tslab as it is, and unweave's. */
export async function prepareNotebooks(root, {run, say}) {
  const {environment, python, stamp} = folders(root);
  const base = await basePython();
  if (!base) return say('notebooks will not be executed: there is no Python 3');
  say('making a Python environment for notebooks …');
  rmSync(environment, {recursive: true, force: true});
  try {
    await run(base, ['-m', 'venv', environment], {quiet: true});
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
    await run(python, [...pip, '--requirement', requirements], {quiet: true});
  } catch (error) {
    rmSync(environment, {recursive: true, force: true});
    if (error.interrupted) throw error;
    return say(`notebooks will not be executed: ${error.message}`);
  }
  registerTslab(root, environment);
  createRequire(import.meta.url)('../dist/kernel/index.js').installKernel({prefix: environment});
  writeFileSync(stamp, made(root));
}

async function basePython() {
  for (const command of ['python3', 'python']) {
    const found = await promisify(execFile)(command, ['-c', 'import sys; print(sys.version_info[0])']).catch(
      () => undefined,
    );
    if (found?.stdout.trim() === '3') return command;
  }
  return undefined;
}

/** Jupyter's description of the kernel `tslab`: this Node and this repository's tslab. */
function registerTslab(root, environment) {
  const folder = path.join(environment, 'share', 'jupyter', 'kernels', 'tslab');
  const tslab = path.join(root, 'node_modules', 'tslab', 'bin', 'tslab');
  const kernel = {
    argv: [process.execPath, tslab, 'kernel', '--config-path={connection_file}'],
    display_name: 'TypeScript',
    language: 'typescript',
  };
  mkdirSync(folder, {recursive: true});
  writeFileSync(path.join(folder, 'kernel.json'), `${JSON.stringify(kernel, null, 2)}\n`);
}
