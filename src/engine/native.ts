import {existsSync, readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {engineFolder, readEngineManifest} from './engineFolder';
import {quietly} from './quiet';
import {engineSource} from './sources';

/** A tfjs-node on disk whose compiled binding exists. */
export interface NativeInstallation {
  /** A folder from which `@tensorflow/tfjs-node` resolves. */
  from: string;
  origin: 'application' | 'cache';
  /** In words, for reasons. */
  where: string;
}

/** The folders whose own dependencies count as the application's. */
function applicationFolders(): string[] {
  const main = require.main?.filename;
  return [...new Set([process.cwd(), ...(main ? [path.dirname(main)] : [])])];
}

/** The package's folder as `from` sees it, or undefined. Nothing is loaded. */
function resolvePackage(from: string): string | undefined {
  try {
    return path.dirname(createRequire(path.join(from, 'index.js')).resolve('@tensorflow/tfjs-node/package.json'));
  } catch {
    return undefined;
  }
}

/** An installation whose build failed lacks the binding, and loading it would register half an engine before it throws. */
function hasBinding(packageFolder: string): boolean {
  const lib = path.join(packageFolder, 'lib');
  if (!existsSync(lib)) return false;
  return readdirSync(lib).some((entry) => existsSync(path.join(lib, entry, 'tfjs_binding.node')));
}

/** The application's own tfjs-node, where it has one that was built, else the engine of the user's cache. */
export function findNative(): NativeInstallation | {missing: string} {
  let broken = '';
  for (const from of applicationFolders()) {
    const found = resolvePackage(from);
    if (found && hasBinding(found)) return {from, origin: 'application', where: "the application's own tfjs-node"};
    if (found) broken = "the application's @tensorflow/tfjs-node lacks its compiled binding; ";
  }
  const source = engineSource();
  if ('unavailable' in source) return {missing: broken + source.unavailable};
  const folder = engineFolder(source.tensorflow);
  if (readEngineManifest(folder)) return {from: folder, origin: 'cache', where: 'the engine that setup installed'};
  return {missing: `${broken}native TensorFlow is not set up: "npx unweave setup" installs it`};
}

/** tfjs-node 4.22 calls two helpers of `util` that Node 23 removed. */
function restoreUtilHelpers(): void {
  const helpers = util as unknown as Record<string, unknown>;
  helpers['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  helpers['isArray'] ??= Array.isArray;
}

/**
 * Loads the engine into this process and makes it current. Kernels live in a registry on the global object, so an engine
 * from another folder serves the application's own tfjs-core.
 * @returns TensorFlow's version
 * @throws Error where the engine does not load or does not compute
 */
export async function loadNative({from}: NativeInstallation): Promise<string> {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  restoreUtilHelpers();
  const requireFrom = createRequire(path.join(from, 'index.js'));
  const {version} = requireFrom('@tensorflow/tfjs-node/package.json') as {version: string};
  if (!version.startsWith('4.')) throw new Error(`@tensorflow/tfjs-node ${version} does not fit tfjs 4`);
  quietly(() => requireFrom('@tensorflow/tfjs-node'));
  if (!(await tf.setBackend('tensorflow'))) throw new Error('TensorFlow did not start');
  assertComputes();
  return nativeVersion();
}

/** TensorFlow's version of the loaded native engine. */
export function nativeVersion(): string {
  const engine = tf.findBackend('tensorflow') as unknown as {binding?: {TF_Version?: string}} | null;
  return engine?.binding?.TF_Version ?? 'of unknown version';
}

/** [1 2] · [3 4]ᵀ = 11: a library that loads may still not run on this processor. */
function assertComputes(): void {
  const [value] = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()); // [1, 1]
  if (value !== 11) throw new Error(`TensorFlow computed 1·3 + 2·4 = ${value}`);
}
