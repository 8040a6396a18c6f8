import {printable} from '../common/printable';
import {Presets, SingleBar} from 'cli-progress';
import type {ProgressListener, ProgressState} from '../common/progress';

/** Progress on stderr: a bar on a terminal, plain lines (at most one in ten seconds) elsewhere. */
export function terminalProgress(): ProgressListener {
  return process.stderr.isTTY ? bar() : lines();
}

function bar(): ProgressListener {
  let shown: SingleBar | undefined;
  return (state) => {
    if (!shown) {
      shown = new SingleBar(
        {
          format: '{label} [{bar}] {value}/{total} {unit} | {eta_formatted} left{extra}',
          stream: process.stderr,
          hideCursor: true,
          etaBuffer: 100,
        },
        Presets.legacy,
      );
      shown.start(state.total, state.done, payload(state));
    }
    shown.update(state.done, payload(state));
    if (state.outcome !== 'running') shown.stop();
  };
}

function payload(state: ProgressState): Record<string, string> {
  return {label: printable(state.label), unit: state.unit, extra: printable(extras(state))};
}

function extras({skipped, note}: ProgressState): string {
  return (skipped > 0 ? ` | ${skipped} skipped` : '') + (note ? ` | ${note}` : '');
}

function lines(): ProgressListener {
  let last = 0;
  const start = Date.now();
  return (state) => {
    const now = Date.now();
    const {label, done, total, unit} = state;
    // The last state is told once, with its outcome.
    if (state.outcome === 'running' && (now - last < 10_000 || (done > 0 && done === total))) return;
    last = now;
    const seconds = ((now - start) / 1000).toFixed(0);
    const outcome = state.outcome === 'running' ? '' : ` (${state.outcome})`;
    const counts = total === 1 ? '' : ` ${done} of ${total} ${unit},`;
    process.stderr.write(`${printable(`${label}:${counts} ${seconds} s${extras(state)}${outcome}`)}\n`);
  };
}
