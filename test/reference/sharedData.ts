import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import type {TestContext} from 'node:test';

/** Networks, images and reference results beside the repository; the project neither ships nor needs them. */
const folder = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');

/** A path in the shared data; skips the test, and returns undefined, where it is absent. */
export function sharedData(t: TestContext, ...parts: string[]): string | undefined {
  const file = path.join(folder, ...parts);
  if (existsSync(file)) return file;
  t.skip('../shared/data is absent: the real networks and images cannot be tested');
  return undefined;
}

export function sharedJson<T>(t: TestContext, ...parts: string[]): T | undefined {
  const file = sharedData(t, ...parts);
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as T);
}
