import {InterruptError} from '../common/errors';
import {startTask, type LongCallOptions, type Task} from '../common/progress';
import {withInterrupt} from './interrupt';

/**
 * Runs long work with progress and an interrupt: `run` advances the task and looks at the signal between batches
 * (`signal.throwIfAborted()`). However it ends, the task is finished.
 * @throws InterruptError when stopped, which names the call
 */
export async function longCall<T>(
  about: {label: string; total: number; unit: string; done?: number},
  options: LongCallOptions,
  run: (task: Task, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withInterrupt(options, async (signal) => {
    const task = startTask(about, options.progress);
    try {
      const result = await run(task, signal);
      task.finish('done');
      return result;
    } catch (error) {
      const stopped = signal.aborted || error instanceof InterruptError;
      task.finish(stopped ? 'interrupted' : 'failed');
      if (!stopped) throw error;
      const {done} = task.state;
      const name = signal.reason instanceof InterruptError ? signal.reason.signal : undefined;
      throw new InterruptError(`${about.label}: interrupted after ${done} of ${about.total} ${about.unit}`, name);
    }
  });
}
