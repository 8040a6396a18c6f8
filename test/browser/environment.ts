import {execFile, execFileSync} from 'node:child_process';
import {existsSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import {repository} from '../kernel/jupyter';

const run = promisify(execFile);

/** What the browser tests need besides what a notebook needs: a page's widgets and the export to HTML. */
const PACKAGES = ['jupyterlab>=4.4,<5', 'nbclient>=0.10,<1', 'nbconvert>=7.16,<8', 'jupyterlab_widgets>=3,<4'];

const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
];

/** The program of a browser that Playwright can drive: `UNWEAVE_CHROMIUM`, else where Linux distributions put it. */
export function findChromium(): string | undefined {
  return [process.env.UNWEAVE_CHROMIUM, ...CHROMIUM].find((file) => file && existsSync(file));
}

/** Finds a browser, or installs Debian's where this process may. @returns undefined, where there is none to be had */
export async function ensureChromium(): Promise<string | undefined> {
  const found = findChromium();
  if (found || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return found;
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
  const install = () => run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'], {env});
  try {
    await install().catch(async () => {
      await run('apt-get', ['update', '-q'], {env});
      await install();
    });
  } catch {
    return undefined;
  }
  return findChromium();
}

/** A Python environment with JupyterLab: the repository's own, completed or made anew where needed. @returns its folder */
export async function ensureJupyter(): Promise<string> {
  const venv = process.env.UNWEAVE_VENV ?? path.join(repository, '.venv');
  const python = path.join(venv, 'bin', 'python');
  if (!existsSync(python)) {
    mkdirSync(path.dirname(venv), {recursive: true});
    await run('python3', ['-m', 'venv', venv]);
  }
  const missing = PACKAGES.filter((wanted) => !hasPackage(python, wanted.split(/[<>=]/)[0]));
  if (missing.length > 0) await run(python, ['-m', 'pip', 'install', '-q', ...missing], {maxBuffer: 1 << 26});
  return venv;
}

function hasPackage(python: string, name: string): boolean {
  try {
    execFileSync(python, ['-c', `import importlib.metadata as m; m.version(${JSON.stringify(name)})`], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
