import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {createServer} from 'node:net';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import type {PrivateJupyter} from '../kernel/jupyter';

const run = promisify(execFile);

export type Theme = 'light' | 'dark';

/** A JupyterLab on the loopback interface. */
export interface Lab {
  /** The address of a notebook, alone on its page; `file` is relative to the served folder. */
  address(file: string): string;
  /** Takes effect on pages that are opened afterwards. */
  setTheme(theme: Theme): void;
  /** Signs a notebook, so that its outputs may run scripts. */
  trust(file: string): Promise<void>;
  /** Ends the kernels that pages have started. */
  endKernels(): Promise<void>;
  /** What the server wrote lately. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts JupyterLab on a folder. @param venv the Python environment that has it */
export async function startLab({
  venv,
  jupyter,
  root,
}: {
  venv: string;
  jupyter: PrivateJupyter;
  root: string;
}): Promise<Lab> {
  const settings = settingsIn(path.join(jupyter.folder, 'settings', '@jupyterlab'));
  // Every cell is drawn, seen or not; nothing asks the network for news.
  settings('notebook-extension/tracker', {windowingMode: 'none', maxNumberOutputs: 1000});
  settings('apputils-extension/notification', {checkForUpdates: false, fetchNews: 'false', doNotDisturbMode: true});

  const port = await freePort();
  const token = randomBytes(16).toString('hex');
  const jupyterLab = path.join(venv, 'bin', 'jupyter-lab');
  const options = [
    '--no-browser',
    '--allow-root',
    '--ServerApp.ip=127.0.0.1',
    `--ServerApp.port=${port}`,
    '--ServerApp.port_retries=0',
    `--IdentityProvider.token=${token}`,
    `--ServerApp.root_dir=${root}`,
    '--LabApp.extension_manager=readonly',
    '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
  ];
  const server = spawn(jupyterLab, options, {env: jupyter.env, stdio: ['ignore', 'ignore', 'pipe'], cwd: root});
  let log = '';
  server.stderr?.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-20_000)));

  const url = `http://127.0.0.1:${port}`;
  try {
    await answers(`${url}/api/status`, token, server);
  } catch (error) {
    await stop(server);
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${log}`);
  }
  return {
    address: (file) => `${url}/doc/tree/${file.split('/').map(encodeURIComponent).join('/')}?reset&token=${token}`,
    setTheme: (theme) =>
      settings('apputils-extension/themes', {theme: theme === 'dark' ? 'JupyterLab Dark' : 'JupyterLab Light'}),
    trust: async (file) => {
      await run(path.join(venv, 'bin', 'jupyter-trust'), [path.join(root, file)], {env: jupyter.env});
    },
    async endKernels() {
      const headers = {authorization: `token ${token}`};
      const sessions = (await (await fetch(`${url}/api/sessions`, {headers})).json()) as {id: string}[];
      for (const {id} of sessions) await fetch(`${url}/api/sessions/${id}`, {method: 'DELETE', headers});
    },
    log: () => log,
    stop: () => stop(server),
  };
}

function settingsIn(folder: string): (plugin: string, values: object) => void {
  return (plugin, values) => {
    const file = path.join(folder, `${plugin}.jupyterlab-settings`);
    mkdirSync(path.dirname(file), {recursive: true});
    writeFileSync(file, JSON.stringify(values));
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

async function answers(url: string, token: string, server: ChildProcess): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if (server.exitCode !== null) throw new Error('JupyterLab ended at its start');
    const response = await fetch(url, {headers: {authorization: `token ${token}`}}).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error('JupyterLab did not answer within a minute');
}

/** Ends the server, which ends its kernels. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = new Promise((done) => server.once('exit', done));
  server.kill('SIGTERM');
  const hard = setTimeout(() => server.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(hard);
}
