/**
 * What `npm start` and `npm test` call first: packages, build, native engine and, with --notebook, a Python environment for
 * notebooks. Each part leaves a stamp of what it was made from, so that a second run finds everything in place; a part that
 * was interrupted has no stamp and is done again. Only Node's own modules: it runs before there are packages.
 */
import {createHash} from 'node:crypto';
import {spawn} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {withFolderLock} from './folderLock.mjs';
import {prepareNotebooks, notebooksReady} from './notebooks.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const at = (...names) => path.join(root, ...names);
const cache = (...names) => at('.cache', ...names);

const say = (line) => process.stderr.write(`${line}\n`);
const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
const digest = (...parts) =>
  parts.reduce((hash, part) => hash.update(part).update('\0'), createHash('sha256')).digest('hex');

/** Runs a program to its end with its output on stderr; `quiet` shows it only where the program fails. */
function run(command, args, {quiet = false} = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {cwd: root, stdio: ['ignore', quiet ? 'pipe' : 2, quiet ? 'pipe' : 2]});
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      if (signal !== 'SIGINT') process.stderr.write(Buffer.concat(output));
      reject(
        new Failure(
          `${[command, ...args.slice(0, 3)].map((word) => path.basename(word)).join(' ')} failed (exit ${code ?? signal})`,
          signal === 'SIGINT',
        ),
      );
    });
  });
}

class Failure extends Error {
  constructor(message, interrupted = false) {
    super(message);
    this.interrupted = interrupted;
  }
}

// ——— packages ———

const lockDigest = () => digest(readFileSync(at('package-lock.json')));
const packagesStamp = at('node_modules', '.unweave-packages');

/** Whether npm's own record of node_modules has every package of the lock: somebody ran `npm ci` or `npm install`. */
function packagesMatchLock() {
  const record = read(at('node_modules', '.package-lock.json'));
  if (!record) return false;
  const installed = JSON.parse(record).packages;
  const wanted = JSON.parse(read(at('package-lock.json'))).packages;
  return Object.entries(wanted).every(
    ([place, {version, optional}]) =>
      place === '' || installed[place]?.version === version || (optional && !installed[place]),
  );
}

const packagesReady = () => read(packagesStamp) === lockDigest();

async function preparePackages() {
  const wanted = lockDigest();
  if (!packagesMatchLock()) {
    say('installing packages …');
    const npm = process.env.npm_execpath;
    // No package needs its install script: sharp, zeromq and esbuild bring compiled files as packages.
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    if (npm && /^npm-cli\.c?js$/.test(path.basename(npm))) await run(process.execPath, [npm, ...args]);
    else await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args);
  }
  writeFileSync(packagesStamp, wanted);
}

// ——— build ———

function filesBelow(folder) {
  return readdirSync(folder, {withFileTypes: true}).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(path.join(folder, entry.name)) : [path.join(folder, entry.name)],
  );
}

function sourceDigest() {
  const parts = [
    at('package.json'),
    at('package-lock.json'),
    at('tsconfig.json'),
    at('scripts', 'bundle-explore.mjs'),
    ...filesBelow(at('src')).sort(),
  ];
  return digest(...parts.flatMap((file) => [path.relative(root, file), readFileSync(file)]));
}

const buildStamp = cache('build');
const builtFiles = () => [
  at('dist', 'index.js'),
  at('dist', 'explore', 'page.js'),
  at('notebooks', 'node_modules', 'unweave', 'package.json'),
];
const buildReady = () => builtFiles().every((file) => existsSync(file)) && read(buildStamp) === sourceDigest();

async function build() {
  const made = sourceDigest();
  say('building …');
  const record = cache('tsbuildinfo');
  // What the compiler remembers holds only for outputs that a finished build left.
  if (!existsSync(buildStamp) || !existsSync(at('dist', 'index.js'))) rmSync(record, {force: true});
  rmSync(buildStamp, {force: true});
  const compiler = at('node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--noEmitOnError', '--incremental', '--tsBuildInfoFile', record];
  await run(process.execPath, [compiler, '-p', 'tsconfig.json', ...options], {quiet: true});
  removeOrphans();
  await run(process.execPath, [at('scripts', 'bundle-explore.mjs')], {quiet: true});
  if (existsSync(at('dist', 'cli', 'main.js'))) chmodSync(at('dist', 'cli', 'main.js'), 0o755);
  linkIntoNotebooks();
  writeFileSync(buildStamp, made);
}

/** Removes outputs whose source is gone: they would go into the package, and hide imports that no longer work. */
function removeOrphans() {
  for (const file of filesBelow(at('dist'))) {
    const source = path.relative(at('dist'), file).replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
    if (!existsSync(at('src', source))) rmSync(file);
  }
}

/**
 * Lets a notebook of this repository write `import … from 'unweave'`, as after `npm install unweave`. A package.json that
 * points at the build, not a symbolic link: not every file system has them.
 */
function linkIntoNotebooks() {
  const {name, version} = JSON.parse(read(at('package.json')));
  const folder = at('notebooks', 'node_modules', name);
  mkdirSync(folder, {recursive: true});
  const manifest = {name, version, private: true, main: '../../../dist/index.js', types: '../../../dist/index.d.ts'};
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

// ——— native engine ———

const engineStamp = cache('engine.json');

/** The engine's folder as the last run found it, if the user's cache is still where it was. */
function engineReady() {
  if (process.env.UNWEAVE_BACKEND === 'wasm') return true;
  const stamp = JSON.parse(read(engineStamp) ?? '{}');
  return stamp.caches === cachePlaces() && existsSync(path.join(stamp.folder ?? '', 'engine.json'));
}

const cachePlaces = () => [process.env.XDG_CACHE_HOME, process.env.HOME].join(':');

async function prepareEngine() {
  const {doctor, recentSetupFailure, setupEngine} = createRequire(import.meta.url)('../dist/setup/index.js');
  const failure = recentSetupFailure();
  if (failure)
    return say(
      `the last set-up of native TensorFlow failed: ${failure}\n"npx unweave setup" tries again; continuing with WebAssembly`,
    );
  try {
    const choice = await setupEngine({progress: progressLines()});
    if (choice.name !== 'native') return say(`${choice}`);
    const {engineFolder, engineInstalled} = await doctor();
    if (engineInstalled) writeFileSync(engineStamp, JSON.stringify({folder: engineFolder, caches: cachePlaces()}));
  } catch (error) {
    if (error.name === 'InterruptError') throw new Failure(`${error.message}; run it again to resume`, true);
    if (error.name !== 'InputError') throw error;
    say(`${error.message}\ncontinuing with WebAssembly`);
  }
}

/** One line a task; on a terminal it counts up. */
function progressLines() {
  let shown;
  return ({label, done, total, unit, outcome}) => {
    const counted = total > 1 ? ` ${done} of ${total} ${unit}` : '';
    if (process.stderr.isTTY) {
      process.stderr.write(
        `\r${label} …${outcome === 'running' ? counted : ` ${outcome}`}\x1b[K${outcome === 'running' ? '' : '\n'}`,
      );
    } else if (label !== shown) {
      say(`${label} …`);
    }
    shown = label;
  };
}

// ——— all together ———

const withNotebooks = process.argv.includes('--notebook');
const parts = [
  [packagesReady, preparePackages],
  [buildReady, build],
  ...(process.argv.includes('--no-engine') ? [] : [[engineReady, prepareEngine]]),
  ...(withNotebooks ? [[() => notebooksReady(root), () => prepareNotebooks(root, {run, say})]] : []),
];

async function prepare() {
  if (parts.every(([ready]) => ready())) return;
  mkdirSync(cache(), {recursive: true});
  // The programs that it runs hear of Ctrl-C themselves and end; then the lock is released and this process ends.
  let interrupted = false;
  process.on('SIGINT', () => (interrupted = true));
  const stopIfInterrupted = () => {
    if (interrupted) throw new Failure('interrupted; run it again to resume', true);
  };
  await withFolderLock(cache('prepare.lock'), say, async () => {
    for (const [ready, make] of parts) {
      stopIfInterrupted();
      if (!ready()) await make().catch((error) => (stopIfInterrupted(), Promise.reject(error)));
    }
    stopIfInterrupted();
  });
}

prepare().catch((error) => {
  say(error instanceof Failure ? error.message : error.stack);
  process.exitCode = error.interrupted ? 130 : 1;
});
