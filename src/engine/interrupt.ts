/**
 * Gives a long call a signal to stop at: the caller's own, else one that the first interrupt of the process (Ctrl-C, the
 * notebook's stop button) aborts while `run` is under way. A second interrupt does what it does by default, so that a call
 * which does not come to a stop can still be ended.
 * @param options.signal used as it is, where given
 */
export async function withInterrupt<T>(
  {signal}: {signal?: AbortSignal},
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal) return run(signal);
  const controller = new AbortController();
  const onInterrupt = () => controller.abort();
  // Later than this turn: a listener that a notebook cell adds synchronously is there when the kernel's own interrupt
  // handling replaces the cell's, and ends the kernel. And before anything says that the call is under way.
  await new Promise<void>((added) =>
    setImmediate(() => {
      process.once('SIGINT', onInterrupt);
      added();
    }),
  );
  try {
    return await run(controller.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
