import fs from 'node:fs/promises';
import type {TestContext} from 'node:test';

/** Every write to a file of this name fails half way, as on a full disk. */
export function fullDisk(t: TestContext, name: string) {
  const {writeFile, open} = fs;
  const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
  const opened = t.mock.method(fs, 'open', async (...given: Parameters<typeof open>) => {
    const handle = await open(...given);
    if (String(given[0]).includes(name) && /[wa]/.test(String(given[1]))) {
      handle.write = (() => Promise.reject(full())) as never;
    }
    return handle;
  });
  const written = t.mock.method(fs, 'writeFile', async (file: string, content: string | Uint8Array) => {
    if (!file.includes(name)) return writeFile(file, content);
    await writeFile(file, content.slice(0, 10));
    throw full();
  });
  return {
    mock: {
      restore() {
        opened.mock.restore();
        written.mock.restore();
      },
    },
  };
}
