import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {drawFrom, drawMutation, type Mutation} from './mutations';
import {ReadingProcess, type Limits} from './readingProcess';
import type {FuzzedReader, Seed} from './types';

export interface FuzzOptions extends Partial<Limits> {
  /** Damaged files. */
  count: number;
  seed: number;
  /** Where a small example of each failure is kept. */
  keep?: string;
  /** The process that reads; one that was given stays. */
  process?: ReadingProcess;
  /** Called after each file. */
  progress?: (done: number) => void;
}

/** What came of a reader's files. */
export interface Tally {
  reader: string;
  read: number;
  refused: number;
  seconds: number;
  /** How reading processes ended that did not end when they read the same file again. */
  endedOnce: string[];
  /** Everything else: an exception without a type of our own, a time or memory limit, a process that ended, content that no checksum fits. */
  failures: {
    kind: 'thrown' | 'slow' | 'memory' | 'ended' | 'believed';
    message: string;
    bytes: Buffer;
    file?: string;
  }[];
}

type Verdict = {kind: 'read' | 'refused' | Tally['failures'][number]['kind']; message: string; fingerprint?: string};

/** Damages a reader's sound files `count` times, each the same way for the same seed, and reads what comes of it. */
export async function fuzz(reader: FuzzedReader, options: FuzzOptions): Promise<Tally> {
  const {count, seed, milliseconds = 10_000, bytes: limit = 2 ** 30, keep, progress} = options;
  const reading = options.process ?? new ReadingProcess();
  const seeds = await reader.seeds();
  const others = seeds.map(({bytes}) => bytes);
  const tally: Tally = {reader: reader.name, read: 0, refused: 0, seconds: 0, endedOnce: [], failures: []};
  const sound = new Map<Seed, string | undefined>();
  const judged = async (from: Seed, damaged: Buffer): Promise<Verdict> => {
    const read = () => reading.read(reader, from, damaged, {milliseconds, bytes: limit});
    let given = await read();
    if ('failed' in given && given.failed === 'ended') {
      // Somebody else may have ended the process: only what ends it again is the file's doing.
      const {message} = given;
      given = await read();
      if (!('failed' in given)) tally.endedOnce.push(message);
    }
    if ('failed' in given) return {kind: given.failed, message: given.message};
    const {outcome, message = '', fingerprint} = given;
    if (outcome === 'read' && from.checked && sound.has(from) && sound.get(from) !== fingerprint) {
      return {kind: 'believed', message: 'other content was read'};
    }
    return {kind: outcome, message, fingerprint};
  };
  try {
    for (const one of reader.name.startsWith('(') ? [] : seeds) {
      const {kind, message, fingerprint} = await judged(one, one.bytes);
      if (kind !== 'read') throw new Error(`a sound file of ${reader.name} is not read: ${kind} ${message}`);
      sound.set(one, fingerprint);
    }
    const start = performance.now();
    for (let i = 0; i < count; i += 1) {
      const draw = drawFrom(seed * 1_000_003 + i);
      const original = seeds[draw(seeds.length)];
      const mutations = Array.from({length: 1 + draw(4)}, () => drawMutation(draw, others));
      const {kind, message} = await judged(original, damaged(original.bytes, mutations));
      progress?.(i + 1);
      if (kind === 'read' || kind === 'refused') {
        tally[kind] += 1;
        continue;
      }
      // The same fault a hundred times over is one fault; what hangs takes long to make smaller.
      const known = tally.failures.some((failure) => failure.kind === kind && placeOf(failure.message) === placeOf(message)); // prettier-ignore
      const small = known
        ? damaged(original.bytes, mutations)
        : await smallest(original.bytes, mutations, async (candidate) => (await judged(original, candidate)).kind === kind); // prettier-ignore
      const file = known ? undefined : kept(keep, `${reader.name.replace(/\W+/g, '-')}-${i}`, original.files(small));
      tally.failures.push({kind, message, bytes: small, file});
    }
    tally.seconds = (performance.now() - start) / 1000;
  } finally {
    if (!options.process) reading.close();
  }
  return tally;
}

/** Where an exception came from, without what it says of the file. */
const placeOf = (message: string) => /\n\s+at .*/.exec(message)?.[0] ?? '';

const damaged = (bytes: Buffer, mutations: readonly Mutation[]): Buffer =>
  mutations.reduce((changed, mutation) => mutation.apply(changed), bytes);

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

function kept(folder: string | undefined, name: string, files: Record<string, Buffer>): string | undefined {
  if (folder === undefined) return undefined;
  const place = path.join(folder, name);
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(place, file)), {recursive: true});
    writeFileSync(path.join(place, file), bytes);
  }
  return place;
}

const KINDS = ['thrown', 'slow', 'memory', 'ended', 'believed'] as const;

/** The head of a table for a report. */
export const TALLY_HEAD = `${row(['reader', 'files', 'read', 'refused', 'exception', 'over 10 s', 'over 1 GB', 'crash', 'believed', 'seconds'])}
${row(Array<string>(10).fill('---'))}
`;

/** A reader's row of that table. */
export const tallyRow = ({reader, read, refused, failures, seconds}: Tally): string =>
  `${row([
    reader,
    read + refused + failures.length,
    read,
    refused,
    ...KINDS.map((kind) => failures.filter((failure) => failure.kind === kind).length),
    Math.round(seconds),
  ])}\n`;

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}
