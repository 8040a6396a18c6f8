import {existsSync} from 'node:fs';
import path from 'node:path';
import type {TestContext} from 'node:test';

/** Small inputs that once failed, beside the repository; the project neither ships nor needs them. */
const folder = process.env['UNWEAVE_TEST_CASES'] ?? path.join(__dirname, '../../../shared/cases');

/** A path among the inputs; skips the test, and returns undefined, where it is absent. */
export function sharedCase(t: TestContext, ...parts: string[]): string | undefined {
  const file = path.join(folder, ...parts);
  if (existsSync(file)) return file;
  t.skip('../shared/cases is absent: inputs that once failed cannot be tried');
  return undefined;
}
