import {fork, type ChildProcess} from 'node:child_process';
import {availableParallelism} from 'node:os';
import {extname, join, resolve} from 'node:path';
import {InputError} from '../common/errors';
import {MAX_PIXELS, type DecodeOptions, type ImageSource} from './decode';
import {FREE_PIXELS, type FromDecoder, type ToDecoder} from './decodeMessages';
import {pixelBudget} from './pixelBudget';
import type {PixelSize} from './types';
import {UnreadableImageError} from './unreadable';

/**
 * Images are decoded, resized and cropped in processes of their own, ahead of the engine, which keeps this process busy for a batch at a
 * time. Each has its next images already with it, so that it goes on meanwhile.
 */

export interface DecodeRequest {
  source: ImageSource;
  /** What messages call the image. */
  path: string;
  size: PixelSize;
  options: DecodeOptions;
  /** Seconds until decoding is given up. */
  seconds: number;
}

interface Job extends DecodeRequest {
  id: number;
  /** Processes that ended over it. */
  ended: number;
  done(pixels: Uint8Array): void;
  failed(error: Error): void;
}

interface Decoder {
  child: ChildProcess;
  /** In the order in which they are decoded; the first is being decoded. */
  jobs: Map<number, Job>;
  idle?: NodeJS.Timeout;
}

/** Images that a process has with it: at 10 ms each enough for a batch that takes the engine most of a second. */
const WITH_EACH = 64;
/** A process ends that had nothing to do for so long. */
const IDLE_MS = 30_000;
/** An image is given up after so many processes that ended over it: the first may have had another reason. */
const MOST_ENDED = 2;

export interface DecodePool {
  /**
   * Pixels of one image at the size wanted, [height, width, 3].
   * @throws UnreadableImageError also where decoding does not come back or ends its process; InputError where the size does not fit
   */
  decode(request: DecodeRequest): Promise<Uint8Array>;
  /** Numbers of the processes that are up. */
  pids(): number[];
  /** Ends the processes; what waits is refused. */
  close(): void;
}

/**
 * @param processes most processes
 * @param pixels most pixels of large images (above 4 million) that are decoded at a time, all processes together; one is always allowed
 */
export function makeDecodePool({
  processes = defaultProcesses(),
  pixels: budget = MAX_PIXELS,
}: {processes?: number; pixels?: number} = {}): DecodePool {
  const decoders: Decoder[] = [];
  const queue: Job[] = [];
  const large = pixelBudget(budget);
  let last = 0;

  const send = (decoder: Decoder, message: ToDecoder) => {
    // A process that has just ended is noticed by its end.
    if (decoder.child.connected) decoder.child.send(message, () => {});
  };

  const start = (): Decoder => {
    const extension = extname(__filename);
    const child = fork(join(__dirname, `decodeWorker${extension}`), {
      // Where `tsx` is looked for; images have absolute paths.
      cwd: __dirname,
      execArgv: extension === '.ts' ? ['--import', 'tsx'] : [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const decoder: Decoder = {child, jobs: new Map()};
    child.on('message', (message: FromDecoder) => receive(decoder, message));
    // `error` may come without `exit`, where there is no process at all.
    child.on('error', () => ended(decoder));
    child.on('exit', () => ended(decoder));
    decoders.push(decoder);
    rest(decoder);
    return decoder;
  };

  /** A process without work keeps nobody waiting, and ends after a while. */
  const rest = (decoder: Decoder) => {
    decoder.child.unref();
    decoder.child.channel?.unref();
    decoder.idle = setTimeout(() => decoder.child.kill('SIGKILL'), IDLE_MS).unref();
  };

  const receive = (decoder: Decoder, message: FromDecoder) => {
    const {id} = message;
    const job = decoder.jobs.get(id);
    if (!job) return;
    if (message.kind === 'ask') {
      return large.ask(id, message.pixels, () => send(decoder, {kind: 'grant', id}));
    }
    decoder.jobs.delete(id);
    large.release(id);
    if (message.kind === 'pixels') job.done(message.pixels);
    else if (message.kind === 'unreadable') job.failed(new UnreadableImageError(job.path, message.reason, message.why));
    else job.failed(new InputError(message.message));
    if (decoder.jobs.size === 0) rest(decoder);
    assign();
  };

  const ended = (decoder: Decoder) => {
    const at = decoders.indexOf(decoder);
    if (at < 0) return;
    decoders.splice(at, 1);
    clearTimeout(decoder.idle);
    const [first, ...others] = decoder.jobs.values();
    for (const id of decoder.jobs.keys()) large.release(id);
    queue.unshift(...others);
    if (first && ++first.ended >= MOST_ENDED) {
      first.failed(new UnreadableImageError(first.path, 'decoding it ends the process that decodes', 'stuck'));
    } else if (first) queue.unshift(first);
    assign();
  };

  const assign = () => {
    while (queue.length > 0) {
      let decoder = decoders.reduce<Decoder | undefined>(
        (least, one) => (least && least.jobs.size <= one.jobs.size ? least : one),
        undefined,
      );
      if (!decoder || (decoder.jobs.size >= 2 && decoders.length < processes)) decoder = start();
      if (decoder.jobs.size >= WITH_EACH) return;
      const job = queue.shift()!;
      if (decoder.jobs.size === 0) {
        clearTimeout(decoder.idle);
        decoder.child.ref();
        decoder.child.channel?.ref();
      }
      decoder.jobs.set(job.id, job);
      const {id, source, path, size, options, seconds} = job;
      const file = resolve(source.file);
      send(decoder, {kind: 'decode', id, source: {...source, file}, path, size, options, seconds});
    }
  };

  return {
    decode: (request) =>
      new Promise((done, failed) => {
        queue.push({...request, id: ++last, ended: 0, done, failed});
        assign();
      }),
    pids: () => decoders.flatMap(({child}) => child.pid ?? []),
    close() {
      const jobs = [...queue.splice(0), ...decoders.flatMap((decoder) => [...decoder.jobs.values()])];
      for (const {child, jobs: own, idle} of decoders.splice(0)) {
        own.clear();
        clearTimeout(idle);
        child.kill('SIGKILL');
      }
      for (const job of jobs) job.failed(new InputError('decoding was closed'));
    },
  };
}

/** Half the processors: the engine has use for all of them. */
function defaultProcesses(): number {
  return Math.min(8, Math.max(1, Math.floor(availableParallelism() / 2)));
}

let shared: DecodePool | undefined;

/** The pool that all images of files share. */
export function decodePool(): DecodePool {
  shared ??= makeDecodePool();
  return shared;
}

/** Most pixels in memory at a time with the defaults, beyond what has been resized. */
export const DECODED_AT_ONCE = MAX_PIXELS + defaultProcesses() * FREE_PIXELS;
