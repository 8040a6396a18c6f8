/**
 * A night in small: a pass over synthetic pictures that is killed, interrupted, starved of disk and set back in time, and must end as an
 * undisturbed one, to the last bit.
 *
 *     npm run soak -- [--images 200000] [--batch 64] [--kills 100] [--skip-changes] [--kind plain] [--every 60] [--seed 1] [--folder DIR]
 *
 * `--every` is the seconds between faults, less where the pass is too short for all of them; 0 leaves them out. `--kills`: of short
 * passes, so many at random moments, and one at every change of the file system, unless these are skipped; of the kind `all` they are of
 * two layers, with LRP and a measured size of batches. `--images 0` and `--kills 0` leave either out.
 */
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {loadStatistics} from '../../src/relevance/store';
import {drawFrom} from '../fuzz/mutations';
import {FAULTS, runPass, smallDisk, type Memory, type Pass, type Ran} from './disturbed';
import {kills} from './kills';
import {KINDS, told, type Kind} from './setting';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** The least that each quarter of a pass held: above it lies what garbage and the engine's buffers of the moment take. */
function leastOfQuarters({memory}: Ran, of: keyof Memory): number[] {
  const quarter = memory.length / 4;
  return [0, 1, 2, 3].map((n) => {
    const part = memory.slice(Math.floor(n * quarter), Math.floor((n + 1) * quarter));
    return Math.min(...part.map((one) => one[of]));
  });
}

/** The second quarter and the last: how far memory moved between them, as a share. What starts a pass is in the first. */
function growth(ran: Ran): number {
  const [, second, , last] = leastOfQuarters(ran, 'rss');
  return last / second - 1;
}

const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

/** Now and then a line while a pass runs, so that one that is stopped has told something. */
function tellMemory(): (found: Ran['memory'][number]) => void {
  let next = 0;
  return ({seconds, done, rss, heapUsed, arrayBuffers}) => {
    if (seconds < next) return;
    next = seconds + 20;
    const parts = `${megabytes(heapUsed)} objects, ${megabytes(arrayBuffers)} arrays`;
    say(`  ${seconds.toFixed(0)} s, ${done} images: ${megabytes(rss)} MB (${parts})`);
  };
}

async function night(
  place: string,
  {
    images,
    batchSize,
    every: most,
    draw,
  }: {images: number; batchSize: number; every: number; draw: (below: number) => number},
): Promise<boolean> {
  const whole = await runPass({
    folder: path.join(place, 'undisturbed'),
    images,
    batchSize,
    checkpointSeconds: 5,
    onMemory: tellMemory(),
  });
  const seconds = whole.memory.at(-1)?.seconds ?? 0;
  const grown = growth(whole);
  const quarters = (of: keyof Memory) => leastOfQuarters(whole, of).map(megabytes).join(', ');
  say(
    `undisturbed: ${images} images, ${Math.ceil(images / batchSize)} batches, in ${seconds.toFixed(0)} s; the least memory of its quarters: ${quarters('rss')} MB (objects ${quarters('heapUsed')}, arrays ${quarters('arrayBuffers')}), ${(100 * grown).toFixed(1)} % from the second to the last`,
  );
  if (whole.code !== 0) throw new Error(`the undisturbed pass ended with ${whole.code}: ${whole.message}`);
  const flat = Math.abs(grown) <= 0.05;
  if (!flat) say('memory is NOT flat');
  if (most === 0) return flat;
  // Each fault has its turn twice before an undisturbed pass would have ended.
  const every = Math.min(most, seconds / (2 * FAULTS.length));
  const disk = path.join(place, 'disk');
  const unmount = smallDisk(disk, Math.ceil(64 + images / 1000));
  if (!unmount) say('no disk of its own can be mounted here: a full and a read-only one are not tried');
  const folder = path.join(disk, 'statistics');
  mkdirSync(folder, {recursive: true});
  const pass: Pass = {folder, images, batchSize, checkpointSeconds: Math.min(5, every / 4)};
  const faults = FAULTS.filter((fault) => unmount || !fault.disk);
  const tally = new Map<string, {tried: number; wrong: number}>();
  let sound = true;
  try {
    for (let turn = 0; ; turn++) {
      const fault = faults[turn % faults.length];
      const ran = await fault.run(pass, disk, (every * 1000 * (50 + draw(100))) / 100);
      say(`  ${fault.name}, after ${ran.done} images: ended with ${ran.code ?? ran.signal} ${ran.message}`);
      if (ran.code === 0) break;
      const count = tally.get(fault.name) ?? {tried: 0, wrong: 0};
      const ok = fault.ends(ran);
      tally.set(fault.name, {tried: count.tried + 1, wrong: count.wrong + Number(!ok)});
      sound &&= ok;
      if (turn > 1000) throw new Error('the disturbed pass does not get on');
    }
    const [disturbed, undisturbed] = [folder, path.join(place, 'undisturbed')];
    const same = told([await loadStatistics(disturbed)]) === told([await loadStatistics(undisturbed)]);
    for (const [name, {tried, wrong}] of tally) say(`  ${name}: ${tried}, ${wrong} ended otherwise than they must`);
    const untried = faults.filter(({name}) => !tally.has(name)).map(({name}) => name);
    if (untried.length > 0)
      say(`NOT tried before the end: ${untried.join('; ')}; give more images, or a shorter --every`);
    say(`disturbed: ${same ? 'bit-identical' : 'NOT identical'}`);
    return same && sound && flat && untried.length === 0;
  } finally {
    unmount?.();
  }
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      images: {type: 'string', default: '200000'},
      batch: {type: 'string', default: '64'},
      kills: {type: 'string', default: '100'},
      every: {type: 'string', default: '60'},
      'skip-changes': {type: 'boolean', default: false},
      kind: {type: 'string', default: 'plain'},
      seed: {type: 'string', default: '1'},
      folder: {type: 'string', default: os.tmpdir()},
    },
  });
  if (!KINDS.includes(values.kind as Kind)) throw new Error(`no kind "${values.kind}"; kinds: ${KINDS.join(', ')}`);
  const place = mkdtempSync(path.join(values.folder, 'unweave-soak-'));
  const draw = drawFrom(Number(values.seed));
  try {
    const killed =
      Number(values.kills) === 0 ||
      (await kills(place, values.kind as Kind, {
        count: Number(values.kills),
        changes: !values['skip-changes'],
        draw,
        say,
      }));
    const slept =
      Number(values.images) === 0 ||
      (await night(place, {
        images: Number(values.images),
        batchSize: Number(values.batch),
        every: Number(values.every),
        draw,
      }));
    say(killed && slept ? 'all is well' : 'something is NOT as it must be');
    process.exitCode = killed && slept ? 0 : 1;
  } finally {
    rmSync(place, {recursive: true, force: true});
  }
}

void main();
