import {fork, type ChildProcess} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {Answer, Task} from './child';
import {drawFrom, drawMutation, type Mutation} from './mutations';
import type {FuzzedReader} from './readers';

export interface FuzzOptions {
  /** Damaged files. */
  count: number;
  seed: number;
  /** For one file. @default 10 s */
  milliseconds?: number;
  /** Above what the process takes before the first file. @default 1 GB */
  bytes?: number;
  /** Where a small example of each failure is kept. */
  keep?: string;
}

/** What came of a reader's files. */
export interface Tally {
  reader: string;
  read: number;
  refused: number;
  /** Everything else: an exception without a type of our own, a time or memory limit, a process that ended, content that no checksum fits. */
  failures: {
    kind: 'thrown' | 'slow' | 'memory' | 'ended' | 'believed';
    message: string;
    bytes: Buffer;
    file?: string;
  }[];
}

/** A reading process; it is replaced when it hangs, ends or has grown. */
class Reader {
  private child?: ChildProcess;
  private start = 0;

  constructor(
    private readonly limits: Required<Pick<FuzzOptions, 'milliseconds' | 'bytes'>>,
    private readonly folder: string,
  ) {}

  async read(reader: FuzzedReader, bytes: Buffer): Promise<Answer | 'slow' | 'memory' | 'ended'> {
    const file = path.join(this.folder, reader.fileName);
    writeFileSync(file, bytes);
    const child = (this.child ??= await this.launch());
    child.send({reader: reader.name, file} satisfies Task);
    const given = await nextFrom(child, this.limits.milliseconds);
    if (typeof given === 'string') {
      this.stop();
      return given;
    }
    if (given.memory - this.start > this.limits.bytes) {
      this.stop();
      return 'memory';
    }
    return given;
  }

  stop(): void {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  private async launch(): Promise<ChildProcess> {
    const child = fork(path.join(__dirname, 'child.ts'), {execArgv: ['--import', 'tsx'], stdio: 'ignore'});
    await new Promise((resolve, reject) => {
      child.once('message', resolve).once('exit', () => reject(new Error('the reading process ended at its start')));
    });
    child.removeAllListeners('exit');
    child.send({reader: '', file: ''} satisfies Task);
    const first = await nextFrom(child, 60_000);
    this.start = typeof first === 'string' ? 0 : first.memory;
    return child;
  }
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
function nextFrom(child: ChildProcess, milliseconds: number): Promise<Answer | 'slow' | 'ended'> {
  return new Promise((resolve) => {
    const [start, before] = [Date.now(), processorTime(child.pid)];
    const done = (result: Answer | 'slow' | 'ended') => {
      clearInterval(timer);
      child.removeAllListeners('message').removeAllListeners('exit');
      resolve(result);
    };
    const timer = setInterval(() => {
      // A busy machine may leave a process waiting: its own time counts, and the clock's only where nothing moves at all.
      const used = processorTime(child.pid) - before;
      if (used > milliseconds || Date.now() - start > 12 * milliseconds) done('slow');
    }, 200);
    child.once('message', (answer: Answer) => done(answer)).once('exit', () => done('ended'));
  });
}

/** Damages a reader's sound files `count` times, each the same way for the same seed, and reads what comes of it. */
export async function fuzz(reader: FuzzedReader, options: FuzzOptions): Promise<Tally> {
  const {count, seed, milliseconds = 10_000, bytes: limit = 2 ** 30, keep} = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-'));
  const process = new Reader({milliseconds, bytes: limit}, folder);
  const seeds = reader.seeds();
  const tally: Tally = {reader: reader.name, read: 0, refused: 0, failures: []};
  try {
    const sound = new Set<string | undefined>();
    for (const bytes of reader.name.startsWith('(') ? [] : seeds) {
      const given = await process.read(reader, bytes);
      if (typeof given === 'string' || given.outcome !== 'read') {
        throw new Error(
          `a sound file of ${reader.name} is not read: ${typeof given === 'string' ? given : given.message}`,
        );
      }
      sound.add(given.fingerprint);
    }
    for (let i = 0; i < count; i += 1) {
      const draw = drawFrom(seed * 1_000_003 + i);
      const original = seeds[draw(seeds.length)];
      const mutations = Array.from({length: 1 + draw(4)}, () => drawMutation(draw, seeds));
      const bytes = damaged(original, mutations);
      const result = await judged(process, reader, bytes, sound);
      if (result.kind === 'read' || result.kind === 'refused') {
        tally[result.kind] += 1;
        continue;
      }
      const {kind, message} = result;
      const small = await smallest(original, mutations, async (candidate) => {
        return (await judged(process, reader, candidate, sound)).kind === kind;
      });
      tally.failures.push({kind, message, bytes: small, file: kept(keep, reader, i, small)});
    }
  } finally {
    process.stop();
    rmSync(folder, {recursive: true});
  }
  return tally;
}

const damaged = (bytes: Buffer, mutations: readonly Mutation[]): Buffer =>
  mutations.reduce((changed, mutation) => mutation.apply(changed), bytes);

type Verdict = {kind: 'read' | 'refused' | Tally['failures'][number]['kind']; message: string};

async function judged(
  process: Reader,
  reader: FuzzedReader,
  bytes: Buffer,
  sound: ReadonlySet<string | undefined>,
): Promise<Verdict> {
  const given = await process.read(reader, bytes);
  if (typeof given === 'string') return {kind: given, message: ''};
  const {outcome, message = '', fingerprint} = given;
  if (outcome === 'read' && !sound.has(fingerprint)) return {kind: 'believed', message: 'other content was read'};
  return {kind: outcome, message};
}

/** The file with the fewest of the damages that still fails the same way. */
async function smallest(
  original: Buffer,
  mutations: readonly Mutation[],
  fails: (bytes: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  let kept = [...mutations];
  for (const mutation of mutations) {
    const fewer = kept.filter((one) => one !== mutation);
    if (fewer.length > 0 && (await fails(damaged(original, fewer)))) kept = fewer;
  }
  return damaged(original, kept);
}

function kept(
  folder: string | undefined,
  {name, fileName}: FuzzedReader,
  i: number,
  bytes: Buffer,
): string | undefined {
  if (folder === undefined) return undefined;
  mkdirSync(folder, {recursive: true});
  const file = path.join(folder, `${name.replace(/\W+/g, '-')}-${i}-${fileName}`);
  writeFileSync(file, bytes);
  return file;
}

/** A table for a report: one row a reader. */
export function tallyTable(tallies: readonly Tally[]): string {
  const kinds = ['thrown', 'slow', 'memory', 'ended', 'believed'] as const;
  const rows = tallies.map(({reader, read, refused, failures}) => [
    reader,
    read + refused + failures.length,
    read,
    refused,
    ...kinds.map((kind) => failures.filter((failure) => failure.kind === kind).length),
  ]);
  const head = ['reader', 'files', 'read', 'refused', 'exception', 'over 10 s', 'over 1 GB', 'crash', 'believed'];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
