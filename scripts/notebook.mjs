// Opens JupyterLab on the first of the notebooks, with the kernel "TypeScript (unweave)". `prepare.mjs --notebook` has made the environment;
// JupyterLab itself is added to it the first time. Options go to jupyter lab: npm run notebook -- --no-browser --port 8890
import {spawn, spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scripts = path.join(root, '.venv', process.platform === 'win32' ? 'Scripts' : 'bin');
const python = path.join(scripts, 'python');
const lab = path.join(scripts, 'jupyter-lab');
const PACKAGES = ['jupyterlab>=4.4,<5', 'jupyterlab_widgets>=3,<4', 'nbconvert>=7.16,<8'];

if (!existsSync(python) && !existsSync(`${python}.exe`)) {
  process.stderr.write('JupyterLab needs Python 3 with venv: install it and run this again\n');
  process.exit(1);
}
if (!existsSync(lab) && !existsSync(`${lab}.exe`)) {
  process.stderr.write('installing JupyterLab …\n');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES];
  if (spawnSync(python, pip, {stdio: 'inherit'}).status !== 0) process.exit(1);
}
const folder = path.join(root, 'notebooks');
// The quickstart is what opens; it names the kernel.
const options = [
  `--ServerApp.root_dir=${folder}`,
  '--LabApp.default_url=/lab/tree/01-quickstart.ipynb',
  ...process.argv.slice(2),
];
const child = spawn(lab, options, {stdio: 'inherit', cwd: folder});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => (process.exitCode = code ?? 0));
