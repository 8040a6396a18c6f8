import fs from 'node:fs/promises';
import type {TestContext} from 'node:test';

/** Every write to a file of this name fails half way, as on a full disk. */
export function fullDisk(t: TestContext, name: string) {
  const {writeFile: real} = fs;
  return t.mock.method(fs, 'writeFile', async (file: string, content: string | Uint8Array) => {
    if (!file.includes(name)) return real(file, content);
    await real(file, content.slice(0, 10));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
  });
}
