import {setDefaultProgress, type ProgressListener, type ProgressState} from '../../common/progress';
import {captureDisplay, isNotebook, uniqueId, type Bundle} from './bundle';
import {html, isolated, type Html} from './html';
import {htmlBundle} from './toBundle';

/** Front ends draw an update in some milliseconds; more of them would only queue up. */
const INTERVAL_MS = 100;

/** Long calls show a bar in their cell from now on, where there is a notebook. */
export function installNotebookProgress(): boolean {
  if (!isNotebook()) return false;
  setDefaultProgress(() => notebookProgress());
  return true;
}

/**
 * A bar in the running cell, for one task: drawn at the first state, updated in place at most ten times a second, and left
 * as one line of text at the end.
 */
export function notebookProgress({now = () => performance.now()}: {now?: () => number} = {}): ProgressListener {
  const display = captureDisplay();
  const displayId = uniqueId();
  let start: {time: number; done: number} | undefined;
  let drawn = -Infinity;
  return (state) => {
    const time = now();
    const first = start === undefined;
    start ??= {time, done: state.done};
    if (state.outcome === 'running' && time - drawn < INTERVAL_MS) return;
    drawn = time;
    display(progressBundle(state, {seconds: (time - start.time) / 1000, before: start.done}), {
      displayId,
      update: !first,
    });
  };
}

/** How long a task has run, and how many units were done before it started (a resumed run). */
export interface Elapsed {
  seconds: number;
  before: number;
}

export function progressBundle(state: ProgressState, elapsed: Elapsed): Bundle {
  const words = progressWords(state, elapsed);
  const text = [state.label, ...words].join(' · ');
  const line = html`${isolated(state.label)}${bar(state)}${words.join(' · ')}`;
  return htmlBundle(html`<div style="font-size:13px;font-variant-numeric:tabular-nums">${line}</div>`, text);
}

function bar({done, total, outcome}: ProgressState): Html {
  if (outcome !== 'running' || !(total > 0)) return html` · `;
  const shape = 'width:180px;height:10px;margin:0 10px;vertical-align:middle';
  return html`<progress value="${Math.min(done, total)}" max="${total}" style="${shape}"></progress>`;
}

/** What stands beside the bar: how far, how fast, how long still, what was left out. */
export function progressWords(state: ProgressState, {seconds, before}: Elapsed): string[] {
  const {done, total, unit, skipped, note, outcome} = state;
  const rate = seconds > 0 ? (done - before) / seconds : 0;
  const fast = rate > 0 ? [`${count(rate)} ${unit}/s`] : [];
  const rest = [...(skipped > 0 ? [`${count(skipped)} skipped`] : []), ...(note ? [note] : [])];
  if (outcome === 'running') {
    const far = total > 0 ? `${Math.floor((100 * done) / total)} % · ${count(done)} of ${count(total)}` : count(done);
    const left = rate > 0 && total > done ? [`${duration((total - done) / rate)} left`] : [];
    return [`${far} ${unit}`, ...fast, ...left, ...rest];
  }
  const after = outcome === 'done' ? '' : ` ${outcome} after`;
  const amount = done >= total ? count(done) : `${count(done)} of ${count(total)}`;
  // A run that found everything done took no time worth telling.
  const time = done > before || outcome !== 'done' ? ` in ${duration(seconds)}` : '';
  return [`${after} ${amount} ${unit}${time}`.trim(), ...fast, ...rest];
}

function count(value: number): string {
  return value.toLocaleString('en-US', {maximumFractionDigits: value < 10 ? 1 : 0});
}

/** 0.4 s, 12 s, 3 min 20 s, 2 h 5 min */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min ${whole % 60} s`;
}
