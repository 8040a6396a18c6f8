import {execFile} from 'node:child_process';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import type {PrivateJupyter} from '../kernel/jupyter';

const run = promisify(execFile);

/** Exports an executed notebook to HTML. @returns the page's address */
export async function exportHtml(
  file: string,
  {venv, jupyter}: {venv: string; jupyter: PrivateJupyter},
): Promise<string> {
  await run(path.join(venv, 'bin', 'jupyter-nbconvert'), ['--to', 'html', file], {
    env: jupyter.env,
    maxBuffer: 1 << 26,
  });
  return pathToFileURL(file.replace(/\.ipynb$/, '.html')).href;
}
