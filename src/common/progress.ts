/** Where a long computation stands. Plain data: a terminal bar, a cell's bar and a log line are drawn from it. */
export interface ProgressState {
  /** What is being done, e.g. `collecting relevance of conv5`. */
  label: string;
  /** Units done so far, and in all. */
  done: number;
  total: number;
  /** What is counted, e.g. `images`. */
  unit: string;
  /** Units that were left out, e.g. unreadable images. @default 0 */
  skipped: number;
  /** A word on the current state, e.g. a loss. */
  note?: string;
  outcome: 'running' | 'done' | 'interrupted' | 'failed';
}

/** Called with each new state; the last call has an outcome other than `running`. Throttling is the listener's affair. */
export type ProgressListener = (state: ProgressState) => void;

/** Options that every long call takes. */
export interface LongCallOptions {
  /** Called with each new state; `false` shows nothing. @default a bar in a notebook and on a terminal */
  progress?: ProgressListener | false;
  /** Aborting it stops the call at the next batch. @default an interrupt of the process (Ctrl-C, the kernel's stop) */
  signal?: AbortSignal;
}

let defaultListener: () => ProgressListener = () => () => {};

/** Sets what shows progress where a call names no listener: the notebook's bar or the command line's, made anew for each task. */
export function setDefaultProgress(make: () => ProgressListener): void {
  defaultListener = make;
}

/** A running task: `advance` as work is done, then `finish` once. */
export interface Task {
  readonly state: Readonly<ProgressState>;
  /** @param more.total where it turns out to be another */
  advance(units: number, more?: {skipped?: number; note?: string; total?: number}): void;
  /** The first call counts: one who knows more may finish before the one who only knows that it has ended. */
  finish(outcome: 'done' | 'interrupted' | 'failed', note?: string): void;
}

export function startTask(
  {label, total, unit, done = 0}: {label: string; total: number; unit: string; done?: number},
  progress?: ProgressListener | false,
): Task {
  const listener = progress === false ? () => {} : (progress ?? defaultListener());
  const state: ProgressState = {label, done, total, unit, skipped: 0, outcome: 'running'};
  const report = () => listener({...state});
  report();
  return {
    state,
    advance(units, {skipped = 0, note, total: now} = {}) {
      state.done += units;
      if (now !== undefined) state.total = now;
      state.skipped += skipped;
      if (note !== undefined) state.note = note;
      report();
    },
    finish(outcome, note) {
      if (state.outcome !== 'running') return;
      state.outcome = outcome;
      if (note !== undefined) state.note = note;
      report();
    },
  };
}
