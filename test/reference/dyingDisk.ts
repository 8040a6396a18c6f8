import fs, {type FileHandle} from 'node:fs/promises';
import type {TestContext} from 'node:test';

/** Changes of a file system, by the functions that the sources call. */
const CHANGES = ['writeFile', 'appendFile', 'rename', 'rm', 'rmdir', 'mkdir', 'unlink'] as const;

/**
 * The file system as a process meets it that is killed at its n-th change: that change happens by half where it writes, else not at all,
 * and no call comes back from then on.
 */
export function dyingDisk(t: TestContext, n: number) {
  let count = 0;
  let die: () => void = () => {};
  const died = new Promise<'died'>((resolve) => (die = () => resolve('died')));
  const never = new Promise<never>(() => {});
  const change = async <T>(work: () => Promise<T>, half: () => Promise<unknown> = () => Promise.resolve()) => {
    count += 1;
    if (count > n) return never;
    if (count < n) return work();
    await half();
    die();
    return never;
  };
  const mocks = CHANGES.map((name) => {
    const real = fs[name] as (...given: unknown[]) => Promise<unknown>;
    return t.mock.method(fs, name, (...given: unknown[]) =>
      change(
        () => real(...given),
        name === 'writeFile'
          ? () => real(given[0], (given[1] as string).slice(0, (given[1] as string).length >> 1))
          : undefined,
      ),
    );
  });
  const {open} = fs;
  const opened = t.mock.method(fs, 'open', async (...given: Parameters<typeof open>) => {
    if (!/[wa+]/.test(String(given[1] ?? 'r'))) return open(...given);
    return change(async () => dyingHandle(await open(...given), change));
  });
  return {
    died,
    count: () => count,
    restore: () => [...mocks, opened].forEach((one) => one.mock.restore()),
  };
}

type Change = <T>(work: () => Promise<T>, half?: () => Promise<unknown>) => Promise<T>;

function dyingHandle(handle: FileHandle, change: Change): FileHandle {
  const write = handle.write.bind(handle) as (...given: unknown[]) => Promise<unknown>;
  const sync = handle.sync.bind(handle);
  handle.write = ((bytes: Uint8Array, offset: number, length: number) =>
    change(
      () => write(bytes, offset, length),
      async () => {
        await write(bytes, offset, length >> 1);
        await handle.close();
      },
    )) as never;
  handle.sync = () => change(sync, () => handle.close());
  return handle;
}
