import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import envPaths from 'env-paths';

/** The tfjs-node release that an engine folder holds. */
export const TFJS_NODE_VERSION = '4.22.0';

/** What a finished engine folder says of itself, in `engine.json`; the file is written last, so that it marks completion. */
export interface EngineManifest {
  format: 1;
  tfjsNode: string;
  tensorflow: string;
  platform: string;
  /** SHA-256 of the wheel that TensorFlow's libraries came from, hexadecimal. */
  wheelSha256: string;
}

/** One TensorFlow build that a platform's engine is made from. */
export interface EngineSource {
  /** Name and version on the Python package index. */
  project: string;
  tensorflow: string;
  /** pip's name of the platform. */
  pipPlatform: string;
  wheelSha256: string;
  /** Size of the wheel. */
  megabytes: number;
}

/** Node's platform and processor, e.g. `linux-x64`. */
export const platformKey = () => `${process.platform}-${process.arch}`;

/** The user's cache of this package. `XDG_CACHE_HOME` moves it on Linux. */
export function cacheFolder(): string {
  const xdg = process.env['XDG_CACHE_HOME'];
  return xdg && path.isAbsolute(xdg) ? path.join(xdg, 'unweave') : envPaths('unweave', {suffix: ''}).cache;
}

/** Where the native engine of this platform lies once it is set up: one folder for all projects of the user. */
export function engineFolder(tensorflow: string): string {
  return path.join(cacheFolder(), 'engines', `${platformKey()}-tfjs${TFJS_NODE_VERSION}-tensorflow${tensorflow}`);
}

/** Reads the mark of completion; undefined where there is no finished engine. */
export function readEngineManifest(folder: string): EngineManifest | undefined {
  const file = path.join(folder, 'engine.json');
  if (!existsSync(file)) return undefined;
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as EngineManifest;
    return manifest.format === 1 ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** The last set-up of an engine that failed: why, and when in milliseconds since 1970. An interrupted one did not fail. */
export interface SetupFailure {
  reason: string;
  at: number;
}

const failureFile = (folder: string) => `${folder}.failed.json`;

export function recordFailure(folder: string, reason: string): void {
  const failure: SetupFailure = {reason, at: Date.now()};
  writeFileSync(failureFile(folder), JSON.stringify(failure));
}

export function forgetFailure(folder: string): void {
  rmSync(failureFile(folder), {force: true});
}

export function readFailure(folder: string): SetupFailure | undefined {
  try {
    return JSON.parse(readFileSync(failureFile(folder), 'utf8')) as SetupFailure;
  } catch {
    return undefined;
  }
}
