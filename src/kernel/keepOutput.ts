import {firstTime} from '../report/display/state';
import {fromTslab, type Socket, type Tslab} from '../report/display/tslab';

type Parts = Parameters<Socket['send']>[0];

/**
 * Stops tslab from losing messages. zeromq.js lets a socket send 512 messages at once; the next ones fail until the event
 * loop turns, and tslab drops them: lines of a log, pictures, the word that a cell has ended. A socket without a time
 * limit and without a high-water mark never gets there. While a socket is still being opened every message fails, and with
 * it tslab drops the question that it was to answer: such messages are kept and sent afterwards.
 */
export function keepOutput(tslab: Tslab): void {
  const {Publisher, Router} = fromTslab<Record<'Publisher' | 'Router', {prototype: Socket}>>(tslab, 'zeromq');
  for (const {prototype} of [Publisher, Router]) {
    if (firstTime(prototype, 'keep output')) replaceSend(prototype);
  }
}

/** How long a socket that is being opened is left alone. */
const PAUSE_MS = 5;

function replaceSend(prototype: Socket): void {
  const send = prototype.send;
  const kept = new WeakMap<Socket, Parts[]>();

  const flush = (socket: Socket, messages: Parts[]): void => {
    for (let parts = messages[0]; parts !== undefined; parts = messages[0]) {
      try {
        send.call(socket, parts);
      } catch (error) {
        if (isBusy(error)) return void setTimeout(flush, PAUSE_MS, socket, messages);
      }
      messages.shift();
    }
    kept.delete(socket);
  };

  // `send` is read-only: assigning to it does nothing.
  Object.defineProperty(prototype, 'send', {
    configurable: true,
    writable: true,
    value: function (this: Socket, parts: Parts) {
      const before = kept.get(this);
      if (before) return void before.push(parts);
      if (this.sendTimeout !== 0) {
        this.sendTimeout = 0;
        this.sendHighWaterMark = 0;
      }
      try {
        return send.call(this, parts);
      } catch (error) {
        if (!isBusy(error)) throw error;
        const messages = [parts];
        kept.set(this, messages);
        setTimeout(flush, PAUSE_MS, this, messages);
      }
    },
  });
}

function isBusy(error: unknown): boolean {
  return (error as {code?: string}).code === 'EBUSY';
}
