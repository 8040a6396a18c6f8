import {InterruptError} from '../common/errors';

/** What asks a process to end: Ctrl-C, a scheduler's time limit, a terminal that closes. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** So long after the first one, another one ends the process at once: a call which does not come to a stop can still be ended. */
const PATIENCE_MS = 3000;

/** A process that was told to end, and does not by itself, ends so long after the call has stopped. */
const GRACE_MS = 2000;

/**
 * Gives a long call a signal to stop at: the caller's own, else one that the first Ctrl-C (the notebook's stop button), SIGTERM or SIGHUP
 * aborts while `run` is under way. More of them within three seconds, as an impatient hand or a scheduler sends them, change nothing, so
 * that a checkpoint that is being written is; a later one does what it does by default.
 * @param options.signal used as it is, where given
 */
export async function withInterrupt<T>(
  {signal}: {signal?: AbortSignal},
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal) return run(signal);
  const controller = new AbortController();
  let first: {signal: NodeJS.Signals; time: number} | undefined;
  const listen = () => SIGNALS.forEach((name) => process.on(name, onSignal));
  const stopListening = () => SIGNALS.forEach((name) => process.off(name, onSignal));
  const onSignal = (name: NodeJS.Signals = 'SIGINT') => {
    if (first && performance.now() - first.time < PATIENCE_MS) return;
    if (first) {
      stopListening();
      process.kill(process.pid, name);
      return;
    }
    first = {signal: name, time: performance.now()};
    controller.abort(new InterruptError('interrupted', name));
  };
  // Later than this turn: a listener that a notebook cell adds synchronously is there when the kernel's own interrupt
  // handling replaces the cell's, and ends the kernel. And before anything says that the call is under way.
  await new Promise<void>((added) =>
    setImmediate(() => {
      listen();
      added();
    }),
  );
  try {
    return await run(controller.signal);
  } finally {
    stopListening();
    if (first && first.signal !== 'SIGINT') endSoon(first.signal);
  }
}

/** The command line ends by itself before this, with the signal's exit code; a notebook or a server, which was told to end, would live on. */
function endSoon(signal: NodeJS.Signals): void {
  setTimeout(() => process.kill(process.pid, signal), GRACE_MS).unref();
}
