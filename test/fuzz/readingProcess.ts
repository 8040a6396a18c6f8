import {fork, type ChildProcess} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {Answer, Task} from './child';
import type {FuzzedReader, Seed} from './types';

export interface Limits {
  /** Of processor time for one file. */
  milliseconds: number;
  /** Of memory for one file. */
  bytes: number;
}

/** Why there is no answer. */
export interface Failed {
  failed: 'slow' | 'memory' | 'ended';
  message: string;
}

/** A process that reads, for all readers in turn; it is replaced only when it hangs, ends or has grown. */
export class ReadingProcess {
  private child?: ChildProcess;
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'fuzz-'));
  private readonly written = new Map<string, Buffer>();

  async read(
    reader: FuzzedReader,
    seed: Seed,
    damaged: Buffer,
    {milliseconds, bytes}: Limits,
  ): Promise<Answer | Failed> {
    const base = path.join(this.folder, reader.name.replace(/\W+/g, '-'));
    const files = seed.files(damaged);
    for (const file of this.written.keys()) {
      if (file.startsWith(`${base}${path.sep}`) && !(path.relative(base, file) in files)) {
        rmSync(file);
        this.written.delete(file);
      }
    }
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(base, name);
      if (this.written.get(file) === content) continue;
      mkdirSync(path.dirname(file), {recursive: true});
      writeFileSync(file, content);
      this.written.set(file, content);
    }
    return this.ask(reader.name, path.join(base, reader.entry), {milliseconds, bytes});
  }

  /** Reads what is there already. */
  async ask(reader: string, place: string, {milliseconds, bytes}: Limits): Promise<Answer | Failed> {
    const child = (this.child ??= await launch());
    child.send({reader, place} satisfies Task);
    const given = await nextFrom(child, milliseconds);
    if ('failed' in given) {
      this.stop();
      return given;
    }
    if (given.memory > bytes) {
      this.stop();
      return {failed: 'memory', message: `${Math.round(given.memory / 2 ** 20)} MB`};
    }
    return given;
  }

  stop(): void {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  close(): void {
    this.stop();
    rmSync(this.folder, {recursive: true, force: true});
  }
}

async function launch(): Promise<ChildProcess> {
  const child = fork(path.join(__dirname, 'child.ts'), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {...process.env, UNWEAVE_BACKEND: 'wasm'},
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve).once('exit', () => reject(new Error('the reading process ended at its start')));
  });
  child.removeAllListeners('exit');
  return child;
}

/** Milliseconds that a process has computed; the clock's where the system does not tell (it does on Linux). */
function processorTime(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10; // user and system time, in hundredths of a second
  } catch {
    return Date.now();
  }
}

/** The next answer; `slow` where the process has computed for so long without one. */
function nextFrom(child: ChildProcess, milliseconds: number): Promise<Answer | Failed> {
  return new Promise((resolve) => {
    const start = Date.now();
    let before: number | undefined;
    let said = '';
    const listen = (piece: Buffer) => (said = (said + piece.toString('latin1')).slice(-2000));
    const done = (result: Answer | Failed) => {
      clearInterval(timer);
      child.stderr?.off('data', listen);
      child.removeAllListeners('message').removeAllListeners('close');
      resolve(result);
    };
    const timer = setInterval(() => {
      // A busy machine may leave a process waiting: its own time counts, and the clock's only where nothing moves at all.
      before ??= processorTime(child.pid);
      const used = processorTime(child.pid) - before;
      if (used > milliseconds || Date.now() - start > 12 * milliseconds) {
        done({failed: 'slow', message: `${used} ms of processor time, ${Date.now() - start} ms`});
      }
    }, 200);
    child.stderr?.on('data', listen);
    child
      .once('message', (answer: Answer) => done(answer))
      .once('close', (code, signal) => done({failed: 'ended', message: `ended by ${signal ?? `exit ${code}`}: ${said}`})); // prettier-ignore
  });
}
