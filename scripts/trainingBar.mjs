import cliProgress from 'cli-progress';

/** Shows a training's steps: a bar on a terminal, a line every half minute elsewhere. */
export function trainingBar() {
  const bar = new cliProgress.SingleBar({
    format: '{label} {bar} {value}/{total} steps, {note}, {eta_formatted} left',
    noTTYOutput: true,
    notTTYSchedule: 30_000,
  });
  return ({label, done, total, note = '', outcome}) => {
    const words = {label, note};
    if (!bar.isActive) bar.start(total, done, words);
    bar.update(done, words);
    if (outcome !== 'running') bar.stop();
  };
}
