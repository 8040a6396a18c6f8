import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';

const root = path.resolve(__dirname, '..', '..');

export interface HeadlessOutput {
  output_type: 'stream' | 'display_data' | 'execute_result' | 'error';
  name?: 'stdout' | 'stderr';
  text?: string | string[];
  data?: Record<string, unknown>;
}

export interface HeadlessCell {
  cell_type: 'code' | 'markdown' | 'raw';
  source: string | string[];
  outputs?: HeadlessOutput[];
}

export interface HeadlessRun {
  /** The executed notebook. */
  notebook: {cells: HeadlessCell[]; metadata: object};
  /** Seconds of each code cell that ran. */
  seconds: number[];
}

/** The Python of the environment that `npm test` makes for notebooks; UNWEAVE_VENV names another. */
export function notebookPython(): string {
  const inside = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  return path.join(process.env['UNWEAVE_VENV'] ?? path.join(root, '.venv'), ...inside);
}

/** Why notebooks cannot be executed here, in plain words; undefined where they can. */
export function whyNotExecutable(): string | undefined {
  if (!existsSync(path.join(root, 'dist', 'index.js'))) return 'the package is not built';
  return existsSync(notebookPython()) ? undefined : 'there is no Python environment for notebooks';
}

/**
 * Executes a notebook file in a real kernel, in its own folder. The file stays as it is.
 * @param options.kernel a kernel of the environment: `unweave`, or `tslab` as it is
 * @param options.timeoutS for each cell
 * @throws Error with what the failing cell printed, unless `allowErrors`
 */
export async function runNotebook(
  file: string,
  {
    kernel = 'unweave',
    timeoutS = 120,
    allowErrors = false,
  }: {kernel?: string; timeoutS?: number; allowErrors?: boolean} = {},
): Promise<HeadlessRun> {
  const folder = await mkdtemp(path.join(tmpdir(), 'unweave-notebook-'));
  try {
    const target = path.join(folder, 'executed.ipynb');
    const runner = path.join(__dirname, 'headless.py');
    const {code, stdout, stderr} = await run([runner, file, target, kernel, String(timeoutS), String(allowErrors)]);
    if (!existsSync(target))
      throw new Error(`${path.basename(file)} was not executed: ${stderr.trim().split('\n').at(-1)}`);
    const notebook = JSON.parse(await readFile(target, 'utf8')) as HeadlessRun['notebook'];
    const seconds = JSON.parse(stdout) as number[];
    if (code !== 0) {
      const failing = notebook.cells.filter((cell) => cell.cell_type === 'code')[seconds.length - 1];
      throw new Error(`${path.basename(file)}, code cell ${seconds.length}: ${failing && textOf(failing, 'stderr')}`);
    }
    return {notebook, seconds};
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

function run(args: string[]): Promise<{code: number | null; stdout: string; stderr: string}> {
  return new Promise((resolve) => {
    const child = execFile(notebookPython(), args, {maxBuffer: 2 ** 26}, (_error, stdout, stderr) =>
      resolve({code: child.exitCode, stdout, stderr}),
    );
  });
}

/** What a cell printed on a stream. */
export function textOf(cell: HeadlessCell, stream: 'stdout' | 'stderr'): string {
  return (cell.outputs ?? [])
    .filter((output) => output.name === stream)
    .map((output) => [output.text ?? ''].flat().join(''))
    .join('');
}
