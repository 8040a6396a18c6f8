/**
 * Runs a task one at a time: calls that come while it runs are met by one more run after it, however many they were.
 * @returns a function whose promise is kept when a run that began after the call has ended
 */
export function latestOnly(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    next = undefined;
    running = task().finally(() => (running = undefined));
    return running;
  };
  return () => {
    if (next) return next;
    if (!running) return start();
    return (next = running.then(start, start));
  };
}
