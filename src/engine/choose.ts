import {readable} from '../common/readable';
import {createRequire} from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {installGradients} from './gradients';
import {findNative, loadNative, nativeVersion} from './native';
import {quietly} from './quiet';

export type EngineName = 'native' | 'wasm';

/** The engine that computes, and why it was chosen. */
export interface BackendChoice {
  /** `other`: an engine that the application set by itself, e.g. tfjs's `cpu`. */
  name: EngineName | 'other';
  version: string;
  reason: string;
  /** One line that says which and why. */
  toString(): string;
}

/** tfjs's names of the two engines. */
const TFJS_NAMES: Record<EngineName, string> = {native: 'tensorflow', wasm: 'wasm'};

let chosen: BackendChoice | undefined;
/** The native engine of this process, once it is loaded: it stays registered while another engine is current. */
let loaded: BackendChoice | undefined;
let choosing: Promise<BackendChoice> | undefined;

/**
 * Chooses the engine: native TensorFlow where it can (the application's own working `@tensorflow/tfjs-node` first, else the
 * one that `npx unweave setup` installed), else WebAssembly, which is always there and about ten times slower. Running it
 * again is cheap, and moves on to native TensorFlow once that has been set up.
 *
 * The environment variable `UNWEAVE_BACKEND` (`native` or `wasm`) overrides `prefer`.
 * @throws InputError where `UNWEAVE_BACKEND` has another value, or asks for a native engine that is not there
 */
export async function backend({prefer = 'native'}: {prefer?: EngineName} = {}): Promise<BackendChoice> {
  const forced = forcedEngine();
  chosen = await choose(forced ?? prefer, forced !== undefined);
  installGradients();
  return chosen;
}

/**
 * The engine for a library call: chooses once, and keeps an engine that the application already set. Gradients that tfjs
 * lacks are there afterwards, whichever engine it is.
 */
export async function ensureBackend(): Promise<BackendChoice> {
  const current = currentName();
  if (current && current !== (chosen && tfjsName(chosen))) chosen = applicationsChoice(current);
  if (!chosen) {
    choosing ??= backend().finally(() => (choosing = undefined));
    return choosing;
  }
  installGradients();
  return chosen;
}

/** tfjs's name of the current engine, without making it choose one. */
function currentName(): string | undefined {
  return (tf.engine() as unknown as {backendName: string | null}).backendName ?? undefined;
}

const tfjsName = ({name}: BackendChoice) => (name === 'other' ? currentName() : TFJS_NAMES[name]);

function forcedEngine(): EngineName | undefined {
  const value = process.env['UNWEAVE_BACKEND'];
  if (value === undefined || value === '' || value === 'auto') return undefined;
  if (value === 'native' || value === 'wasm') return value;
  throw new InputError(`UNWEAVE_BACKEND is "${value}"; set it to native or wasm, or leave it unset`);
}

async function choose(wanted: EngineName, forced: boolean): Promise<BackendChoice> {
  const asked = forced ? 'UNWEAVE_BACKEND asks for it' : 'you asked for it';
  if (wanted === 'wasm') return useWasm(asked);
  if (tf.engine().registryFactory[TFJS_NAMES.native]) {
    await tf.setBackend(TFJS_NAMES.native);
    return (loaded ??= describe('native', nativeVersion(), 'the application loaded it'));
  }
  const found = findNative();
  if ('missing' in found) return withoutNative(found.missing, forced);
  try {
    return (loaded = describe('native', await loadNative(found), found.where));
  } catch (error) {
    tf.removeBackend(TFJS_NAMES.native);
    return withoutNative(`${found.where} does not load: ${firstLine(error)}`, forced);
  }
}

async function withoutNative(why: string, forced: boolean): Promise<BackendChoice> {
  if (forced) throw new InputError(`UNWEAVE_BACKEND is "native", but ${why}`);
  return useWasm(why);
}

const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;

/** Node runs tfjs's WebAssembly with SIMD on one thread: its threads need workers made from a blob address. */
export async function useWasm(reason: string): Promise<BackendChoice> {
  // A synchronous require, so that the lines which a second copy of the package would write can be held back.
  const load = createRequire(__filename) as (id: string) => typeof import('@tensorflow/tfjs-backend-wasm');
  const wasm = quietly(() => load('@tensorflow/tfjs-backend-wasm'));
  if (!(await tf.setBackend(TFJS_NAMES.wasm))) throw new Error('WebAssembly did not start');
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return describe('wasm', `${wasm.version_wasm}${simd ? ' with SIMD' : ''}, one thread`, reason);
}

function applicationsChoice(current: string): BackendChoice {
  if (current === TFJS_NAMES.native) return describe('native', nativeVersion(), 'the application set it');
  if (current === TFJS_NAMES.wasm) return describe('wasm', tf.version_core, 'the application set it');
  return describe('other', current, 'the application set it; backend() chooses a fast one');
}

function describe(name: BackendChoice['name'], version: string, reason: string): BackendChoice {
  const engine = {native: 'native TensorFlow', wasm: 'WebAssembly, tfjs', other: "tfjs's engine"}[name];
  const line = `${engine} ${version} (${reason})`;
  return readable({name, version, reason}, () => line);
}
