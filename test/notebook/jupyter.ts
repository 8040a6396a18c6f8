import {execFile} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {installKernel, KERNEL_NAME} from '../../src/notebook/kernel';

export const repository = path.resolve(__dirname, '..', '..');

const run = promisify(execFile);

export interface NotebookOutput {
  output_type: 'stream' | 'display_data' | 'execute_result' | 'error';
  name?: 'stdout' | 'stderr';
  text?: string;
  data?: Record<string, unknown>;
}
export interface NotebookCell {
  cell_type: 'code' | 'markdown' | 'raw';
  id?: string;
  source: string | string[];
  metadata: object;
  outputs?: NotebookOutput[];
  execution_count?: number | null;
}
export interface Notebook {
  cells: NotebookCell[];
  metadata: object;
  nbformat: 4;
  nbformat_minor: number;
}

/** A notebook of code cells for the kernel under test. */
export function notebookOf(sources: readonly string[], kernel = KERNEL_NAME): Notebook {
  return {
    cells: sources.map((source, i) => ({
      cell_type: 'code',
      id: `cell-${i}`,
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    })),
    metadata: {
      kernelspec: {name: kernel, display_name: 'TypeScript (unweave)', language: 'typescript'},
      language_info: {name: 'typescript', file_extension: '.ts', mimetype: 'text/typescript'},
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** Why notebooks cannot be executed here, in plain words; undefined where they can. */
export function cannotExecute(): string | undefined {
  if (!existsSync(path.join(repository, 'dist', 'notebook', 'kernel', 'preload.js'))) return 'the package is not built';
  if (!existsSync(python())) return `${path.dirname(path.dirname(python()))} is absent: no Python with nbclient`;
  return undefined;
}

export function python(): string {
  return path.join(process.env.UNWEAVE_VENV ?? path.join(repository, '.venv'), 'bin', 'python');
}

/** A Jupyter of its own in a temporary folder: settings, trust and the kernel, none of the user's. */
export interface PrivateJupyter {
  folder: string;
  env: NodeJS.ProcessEnv;
  remove(): void;
}

export function privateJupyter(): PrivateJupyter {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-jupyter-'));
  installKernel({prefix: folder});
  const inside = (...names: string[]) => path.join(folder, ...names);
  return {
    folder,
    env: {
      ...process.env,
      JUPYTER_PATH: inside('share', 'jupyter'),
      JUPYTER_DATA_DIR: inside('data'),
      JUPYTER_CONFIG_DIR: inside('config'),
      JUPYTER_RUNTIME_DIR: inside('runtime'),
      JUPYTERLAB_SETTINGS_DIR: inside('settings'),
      JUPYTERLAB_WORKSPACES_DIR: inside('workspaces'),
      IPYTHONDIR: inside('ipython'),
    },
    remove: () => rmSync(folder, {recursive: true, force: true}),
  };
}

export interface Executed {
  notebook: Notebook;
  /** Seconds by cell, in order of execution. */
  seconds: number[];
}

/** Executes a notebook without a front end. Errors in cells become outputs. @param folder where its kernel runs */
export async function execute(
  notebook: Notebook,
  {jupyter, folder}: {jupyter: PrivateJupyter; folder: string},
): Promise<Executed> {
  const file = path.join(mkdtempSync(path.join(jupyter.folder, 'run-')), 'notebook.ipynb');
  await writeFile(file, JSON.stringify(notebook));
  const {stdout} = await run(python(), [path.join(__dirname, 'execute.py'), file, folder], {
    env: jupyter.env,
    maxBuffer: 1 << 26,
  });
  return {notebook: JSON.parse(await readFile(file, 'utf8')), seconds: JSON.parse(stdout)};
}

/** What a cell printed on one stream, and the plain text of what it displayed. */
export function printed({outputs = []}: NotebookCell, stream: 'stdout' | 'stderr' = 'stdout'): string {
  return outputs.map(({name, text}) => (name === stream ? [text ?? ''].flat().join('') : '')).join('');
}
