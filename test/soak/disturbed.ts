import {execFileSync, fork, type ChildProcess} from 'node:child_process';
import {mkdirSync, rmSync, statfsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {ENDS} from './pass';
import type {Kind} from './setting';

/** All that the process has of the machine; what JavaScript's objects hold, and its arrays. */
export interface Memory {
  rss: number;
  heapUsed: number;
  arrayBuffers: number;
}

/** What a process said while it ran, and how it ended. */
export interface Ran {
  code: number | null;
  signal: string | null;
  message: string;
  /** In bytes, every two seconds, each time after a collection of garbage. */
  memory: ({seconds: number; done: number} & Memory)[];
  done: number;
  /** Milliseconds from when the pass began, with the engine ready, to its end. */
  milliseconds: number;
}

export interface Pass {
  folder: string;
  images: number;
  checkpointSeconds: number;
  /** @default plain */
  kind?: Kind;
  /** Images a batch. @default 64 */
  batchSize?: number;
  /** Called with each measurement. */
  onMemory?: (found: Ran['memory'][number]) => void;
}

/** Starts a pass; `during` may disturb it. */
export async function runPass(
  {folder, images, checkpointSeconds, kind = 'plain', batchSize = 64, onMemory}: Pass,
  {
    clock = false,
    env = {},
    preload,
    during,
  }: {
    clock?: boolean;
    env?: Record<string, string>;
    preload?: string;
    during?: (child: ChildProcess, done: () => number, begun: Promise<void>) => Promise<void>;
  } = {},
): Promise<Ran> {
  const args = [
    folder,
    String(images),
    String(checkpointSeconds),
    kind,
    ...(clock ? ['clock'] : []),
    ...(kind === 'plain' ? [`batch=${batchSize}`] : []),
  ];
  const execArgv = [...(preload === undefined ? [] : ['--require', preload]), '--expose-gc', '--import', 'tsx'];
  const child = fork(path.join(__dirname, 'pass.ts'), args, {execArgv, stdio: 'ignore', env: {...process.env, ...env}});
  const ran: Ran = {code: null, signal: null, message: '', memory: [], done: 0, milliseconds: 0};
  let start = performance.now();
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  child.on(
    'message',
    (said: Partial<{memory: Memory; seconds: number; message: string; done: number; begun: true}>) => {
      if (said.begun) {
        start = performance.now();
        begin();
      }
      if (said.memory) {
        const found = {...said.memory, seconds: said.seconds ?? 0, done: ran.done};
        ran.memory.push(found);
        onMemory?.(found);
      }
      if (said.message !== undefined) ran.message = said.message;
      if (said.done !== undefined) ran.done = said.done;
    },
  );
  const ended = new Promise<void>((resolve) =>
    child.on('exit', (code, signal) => {
      [ran.code, ran.signal, ran.milliseconds] = [code, signal, performance.now() - start];
      begin();
      resolve();
    }),
  );
  await Promise.all([during?.(child, () => ran.done, begun), ended]);
  return ran;
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until the pass has begun and gone on for a while; `false` where it ended before. */
async function under(child: ChildProcess, done: () => number, milliseconds: number): Promise<boolean> {
  const first = done();
  while (child.exitCode === null && child.signalCode === null && done() <= first) await wait(20);
  await wait(milliseconds);
  return child.exitCode === null && child.signalCode === null;
}

/** A small disk of its own in memory; undefined where the system does not let one be made. */
export function smallDisk(folder: string, megabytes: number): (() => void) | undefined {
  mkdirSync(folder, {recursive: true});
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {stdio: 'ignore'});
  } catch {
    return undefined;
  }
  return () => execFileSync('umount', [folder], {stdio: 'ignore'});
}

export interface Fault {
  name: string;
  /** Needs a disk that may be filled and made read-only. */
  disk?: boolean;
  run(pass: Pass, disk: string, milliseconds: number): Promise<Ran>;
  /** What must come of it where the pass did not end before. */
  ends(ran: Ran): boolean;
}

const refused = (pattern: RegExp) => (ran: Ran) => ran.code === ENDS.refused && pattern.test(ran.message);

/** Fills a disk to its last byte. @returns frees it again */
export function fill(disk: string): () => void {
  const file = path.join(disk, 'ballast');
  const {bavail, bsize} = statfsSync(disk);
  for (let size = bavail * bsize; size > 0; size = Math.floor(size / 2)) {
    try {
      writeFileSync(file, Buffer.alloc(size), {flag: 'a'});
    } catch {
      // What is left is smaller.
    }
  }
  return () => rmSync(file, {force: true});
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'full disk',
    disk: true,
    async run(pass, disk, milliseconds) {
      let free = () => {};
      const ran = await runPass(pass, {
        during: async (child, done) => {
          if (await under(child, done, milliseconds)) free = fill(disk);
        },
      });
      free();
      return ran;
    },
    ends: refused(/the disk is full; free some space/),
  },
  {
    name: 'read-only disk',
    disk: true,
    async run(pass, disk, milliseconds) {
      const remount = (how: string) => execFileSync('mount', ['-o', `remount,${how}`, disk], {stdio: 'ignore'});
      let back = () => {};
      const ran = await runPass(pass, {
        during: async (child, done) => {
          if (!(await under(child, done, milliseconds))) return;
          for (let tries = 0; tries < 100; tries++) {
            try {
              // Not while a file is being written.
              remount('ro');
              back = () => remount('rw');
              return;
            } catch {
              await wait(10);
            }
          }
        },
      });
      back();
      return ran;
    },
    ends: refused(/the disk is read-only/),
  },
  ...(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const).map((signal): Fault => ({
    name: signal,
    run: (pass, _disk, milliseconds) =>
      runPass(pass, {
        during: async (child, done) => void ((await under(child, done, milliseconds)) && child.kill(signal)),
      }),
    ends: ({code, signal: by}) => (signal === 'SIGKILL' ? by === signal : code === ENDS.interrupted),
  })),
  {
    name: 'Ctrl-C twice',
    run: (pass, _disk, milliseconds) =>
      runPass(pass, {
        during: async (child, done) => {
          if (!(await under(child, done, milliseconds))) return;
          child.kill('SIGINT');
          await wait(5);
          child.kill('SIGINT');
        },
      }),
    ends: ({code}) => code === ENDS.interrupted,
  },
  {
    name: 'clock set back an hour, then SIGKILL',
    run: (pass, _disk, milliseconds) =>
      runPass(pass, {
        clock: true,
        during: async (child, done) => void ((await under(child, done, milliseconds + 1000)) && child.kill('SIGKILL')),
      }),
    ends: ({signal}) => signal === 'SIGKILL',
  },
  {
    name: 'a second process',
    async run(pass, _disk, milliseconds) {
      let second: Ran | undefined;
      const first = await runPass(pass, {
        during: async (child, done) => {
          if (!(await under(child, done, milliseconds))) return;
          second = await runPass(pass);
          child.kill('SIGKILL');
        },
      });
      return second ?? first;
    },
    ends: refused(/is being written to by process \d+/),
  },
];
