import assert from 'node:assert/strict';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {installKernel, kernelSpec, kernelStatus, uninstallKernel} from '../../src/kernel';
import {keepOutput} from '../../src/kernel/keepOutput';
import {importable, installed, splitRequest} from '../../src/kernel/packages';
import type {JupyterModule, Socket} from '../../src/report/display/tslab';
import {repository} from './jupyter';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-'));
  t.after(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

/** A kernel spec whose files are all there, built or not. */
function presentSpec() {
  return kernelSpec({preload: __filename});
}

test('the kernel is tslab, started by this Node with the preload in front', () => {
  const {argv, language} = kernelSpec();
  assert.equal(argv[0], process.execPath);
  assert.match(argv.slice(1).join(' '), /^--require \S+preload\.js \S+tslab kernel --config-path \{connection_file\}$/);
  assert.equal(language, 'typescript');
});

test('a kernel is registered, found in order and removed again', (t) => {
  const prefix = temporaryFolder(t);
  assert.equal(kernelStatus({prefix}).installed, false);
  const folder = installKernel({prefix}, presentSpec());
  assert.equal(folder, path.join(prefix, 'share', 'jupyter', 'kernels', 'unweave'));
  assert.equal(JSON.parse(readFileSync(path.join(folder, 'kernel.json'), 'utf8')).display_name, 'TypeScript (unweave)');
  assert.deepEqual(kernelStatus({prefix}), {folder, installed: true, problems: []});
  assert.equal(uninstallKernel({prefix}), folder);
  assert.equal(uninstallKernel({prefix}), undefined);
  assert.equal(kernelStatus({prefix}).installed, false);
});

test('what a kernel names and what is gone is told with what to do', (t) => {
  const prefix = temporaryFolder(t);
  const folder = installKernel({prefix}, presentSpec());
  const gone = {...presentSpec(), argv: [process.execPath, '--require', path.join(prefix, 'preload.js')]};
  writeFileSync(path.join(folder, 'kernel.json'), JSON.stringify(gone));
  assert.match(kernelStatus({prefix}).problems.join(), /preload\.js is missing; .*npx unweave kernel install/);
  writeFileSync(path.join(folder, 'kernel.json'), '{');
  assert.match(kernelStatus({prefix}).problems.join(), /cannot be read/);
  assert.throws(() => installKernel({prefix}, gone), /build the package/);
});

test('two places at once and a Python that is none are refused', () => {
  assert.throws(() => kernelStatus({prefix: 'a', user: true}), /prefix and user name different places/);
  assert.throws(() => kernelStatus({sysPrefix: true, python: '/no/python'}), /cannot run the Python "\/no\/python"/);
});

test("the user's own place is Jupyter's", () => {
  const before = process.env.JUPYTER_DATA_DIR;
  process.env.JUPYTER_DATA_DIR = path.join(os.tmpdir(), 'data');
  assert.equal(kernelStatus().folder, path.join(os.tmpdir(), 'data', 'kernels', 'unweave'));
  if (before === undefined) delete process.env.JUPYTER_DATA_DIR;
  else process.env.JUPYTER_DATA_DIR = before;
});

test('requests are split into package and file', () => {
  assert.deepEqual(splitRequest('unweave'), ['unweave', '']);
  assert.deepEqual(splitRequest('@tensorflow/tfjs-core/dist/x'), ['@tensorflow/tfjs-core', 'dist/x']);
});

test('a notebook may import the package and what it depends on', () => {
  const folders = importable(repository);
  assert.equal(folders.get('unweave'), repository);
  assert.equal(folders.get('vega'), installed('vega', repository));
  assert.equal(folders.has('typescript'), false);
});

test('messages to a socket that is being opened are kept and sent in order', async (t) => {
  const folder = temporaryFolder(t);
  const zeromq = path.join(folder, 'node_modules', 'zeromq');
  mkdirSync(zeromq, {recursive: true});
  writeFileSync(
    path.join(zeromq, 'index.js'),
    `class Socket { constructor() { this.busy = 3; this.sent = []; this.sendTimeout = -1; }
       send(parts) { if (this.busy-- > 0) throw Object.assign(new Error('blocked'), {code: 'EBUSY'}); this.sent.push(parts); } }
     exports.Publisher = class extends Socket {}; exports.Router = class extends Socket {};
     for (const kind of [exports.Publisher, exports.Router]) kind.prototype.send = Socket.prototype.send;`,
  );
  const file = path.join(folder, 'jupyter.js');
  keepOutput({file, version: 'test', jupyter: {} as JupyterModule});
  const {Publisher} = createRequire(file)('zeromq') as {Publisher: new () => Socket & {sent: string[]}};
  const socket = new Publisher();
  for (const message of ['a', 'b', 'c']) socket.send(message);
  while (socket.sent.length < 3) await new Promise((done) => setTimeout(done, 5));
  socket.send('d');
  assert.deepEqual(socket.sent, ['a', 'b', 'c', 'd']);
  assert.deepEqual([socket.sendTimeout, socket.sendHighWaterMark], [0, 0]);
});
