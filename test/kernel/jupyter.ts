import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {installKernel, KERNEL_NAME} from '../../src/kernel';
import {runNotebook, type HeadlessCell, type HeadlessRun} from './headless';

export const repository = path.resolve(__dirname, '..', '..');

export interface NotebookCell extends HeadlessCell {
  id?: string;
  metadata: object;
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

/** Executes a notebook of one's own in a folder. Errors in cells become outputs. */
export async function execute(notebook: Notebook, {folder}: {folder: string}): Promise<HeadlessRun> {
  const file = path.join(mkdtempSync(path.join(folder, 'run-')), 'notebook.ipynb');
  writeFileSync(file, JSON.stringify(notebook));
  return runNotebook(file, {allowErrors: true});
}
