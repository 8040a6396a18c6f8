import sharp from 'sharp';
import {InputError} from '../common/errors';
import {decodeRgb} from './decode';
import {FREE_PIXELS, type FromDecoder, type ToDecoder} from './decodeMessages';
import {fitTo} from './geometry';
import {UnreadableImageError} from './unreadable';

/**
 * A process that decodes one image after the other for `decodePool`. It is a process and not a thread, because a decoder that does not
 * come back can be ended with its process alone; it ends itself, since the pool's process may be busy computing.
 */

type Job = Extract<ToDecoder, {kind: 'decode'}>;

// One image at a time on one core: the pool runs as many processes as it wants cores.
sharp.concurrency(1);
sharp.cache(false);

const waiting: Job[] = [];
const grants = new Map<number, () => void>();
let busy = false;

function send(message: FromDecoder, then?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, then);
}

async function decode({id, source, path, size, options, seconds}: Job): Promise<FromDecoder> {
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => {
      const reason = `decoding it took longer than ${seconds} seconds`;
      send({kind: 'unreadable', id, reason, why: 'stuck'}, end);
    }, 1000 * seconds);
  };
  const permission = async (pixels: number) => {
    if (pixels <= FREE_PIXELS) return;
    clearTimeout(timer);
    await new Promise<void>((granted) => {
      grants.set(id, granted);
      send({kind: 'ask', id, pixels});
    });
    grants.delete(id);
    start();
  };
  start();
  try {
    const pixels = fitTo(await decodeRgb(source, path, options, permission), size, path);
    // A view of more would be sent with all that it is a view of.
    return {kind: 'pixels', id, pixels};
  } catch (error) {
    if (error instanceof UnreadableImageError) return {kind: 'unreadable', id, reason: error.reason, why: error.kind};
    if (error instanceof InputError) return {kind: 'refused', id, message: error.message};
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function work(): Promise<void> {
  if (busy) return;
  busy = true;
  for (let job = waiting.shift(); job; job = waiting.shift()) send(await decode(job));
  busy = false;
}

/** A thread that hangs would keep an orderly exit waiting. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

process.on('message', (message: ToDecoder) => {
  if (message.kind === 'grant') grants.get(message.id)?.();
  else {
    waiting.push(message);
    void work();
  }
});
process.on('disconnect', end);
// A terminal's Ctrl-C and a scheduler's warning reach every process: the one that computes decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
