import {firstTime} from './state';
import {fromTslab, type Socket, type Tslab} from './tslab';

/**
 * Stops tslab from losing output. zeromq.js lets a socket send 512 messages at once; the next ones fail until the event
 * loop turns, and tslab drops them: lines of a log, pictures, the word that a cell has ended. A socket without a time
 * limit and without a high-water mark never gets there.
 */
export function keepOutput(tslab: Tslab): void {
  const {Publisher} = fromTslab<{Publisher: {prototype: Socket}}>(tslab, 'zeromq');
  const prototype = Publisher.prototype;
  if (!firstTime(prototype, 'keep output')) return;
  const send = prototype.send;
  // `send` is read-only: assigning to it does nothing.
  Object.defineProperty(prototype, 'send', {
    configurable: true,
    writable: true,
    value: function (this: Socket, parts: Parameters<Socket['send']>[0]) {
      if (this.sendTimeout !== 0) {
        this.sendTimeout = 0;
        this.sendHighWaterMark = 0;
      }
      return send.call(this, parts);
    },
  });
}
