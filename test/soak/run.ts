/**
 * A night in small: a pass over synthetic pictures that is killed, interrupted, starved of disk and set back in time, and must end as an
 * undisturbed one, to the last bit.
 *
 *     npm run soak -- [--images 200000] [--kills 100] [--every 60] [--seed 1] [--folder DIR]
 *
 * `--every` is the seconds between faults. Kills: of short passes, at random moments; and one at every change of the file system.
 */
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {collectRelevance} from '../../src/relevance/collect';
import {loadStatistics} from '../../src/relevance/store';
import {drawFrom} from '../fuzz/mutations';
import {FAULTS, runPass, smallDisk, type Pass, type Ran} from './disturbed';
import {soakImages, soakModel} from './setting';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Every number, to the last bit; the order of fields is that of making or of loading. */
function told(stats: RelevanceStatistics): string {
  const sorted = (value: object) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  const plain = (_key: string, value: unknown): unknown => {
    if (ArrayBuffer.isView(value))
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? sorted(value) : value;
  };
  return JSON.stringify(stats, plain);
}

/** How far the resident memory moved between the second quarter of a pass and its last, as a share. */
function growth({memory}: Ran): number {
  const quarter = Math.floor(memory.length / 4);
  const mean = (from: number, to: number) =>
    memory.slice(from, to).reduce((sum, one) => sum + one.memory, 0) / Math.max(1, to - from);
  return mean(3 * quarter, memory.length) / mean(quarter, 2 * quarter) - 1;
}

async function night(place: string, images: number, every: number, draw: (below: number) => number): Promise<boolean> {
  const whole = await runPass({folder: path.join(place, 'undisturbed'), images, checkpointSeconds: 5});
  const seconds = whole.memory.at(-1)?.seconds ?? 0;
  const grown = growth(whole);
  say(
    `undisturbed: ${images} images in ${seconds.toFixed(0)} s; memory ${(100 * grown).toFixed(1)} % from the second quarter to the last (${(whole.memory.at(-1)?.memory ?? 0) >> 20} MB)`,
  );
  if (whole.code !== 0) throw new Error(`the undisturbed pass ended with ${whole.code}: ${whole.message}`);
  const disk = path.join(place, 'disk');
  const unmount = smallDisk(disk, Math.ceil(64 + images / 1000));
  if (!unmount) say('no disk of its own can be mounted here: a full and a read-only one are not tried');
  const folder = path.join(disk, 'statistics');
  mkdirSync(folder, {recursive: true});
  const pass: Pass = {folder, images, checkpointSeconds: Math.min(5, every / 4)};
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
    const same = told(await loadStatistics(folder)) === told(await loadStatistics(path.join(place, 'undisturbed')));
    for (const [name, {tried, wrong}] of tally) say(`  ${name}: ${tried}, ${wrong} ended otherwise than they must`);
    const untried = faults.filter(({name}) => !tally.has(name)).map(({name}) => name);
    if (untried.length > 0)
      say(`NOT tried before the end: ${untried.join('; ')}; give more images, or a shorter --every`);
    say(`disturbed: ${same ? 'bit-identical' : 'NOT identical'}`);
    const flat = Math.abs(grown) <= 0.05;
    if (!flat) say('memory is NOT flat');
    return same && sound && flat && untried.length === 0;
  } finally {
    unmount?.();
  }
}

/** Short passes, each killed once and then run to its end. @returns how many were identical */
async function kills(place: string, count: number, draw: (below: number) => number): Promise<boolean> {
  const images = 256;
  const model = soakModel();
  const list = soakImages(images);
  const options = {layer: 'studied', batchSize: 64, progress: false as const};
  const expected = told(await collectRelevance(model, list, {...options, out: path.join(place, 'expected')}));
  const preload = path.join(__dirname, 'killAt.cjs');
  const once = async (name: string, kill: (pass: Pass) => Promise<Ran>) => {
    const folder = path.join(place, name);
    const ran = await kill({folder, images, checkpointSeconds: 0});
    const killed = ran.signal === 'SIGKILL';
    const same = told(await collectRelevance(model, list, {...options, out: folder})) === expected;
    if (!same) say(`${name}: NOT identical`);
    rmSync(folder, {recursive: true});
    return {killed, same};
  };
  const first = await runPass({folder: path.join(place, 'timed'), images, checkpointSeconds: 0});
  const length = 1000 * (first.memory.at(-1)?.seconds ?? 1) + 1500;
  let [identical, tried, late] = [0, 0, 0];
  for (let n = 0; n < count; n++) {
    const {killed, same} = await once(`random-${n}`, (pass) =>
      runPass(pass, {
        during: (child) =>
          new Promise((resolve) => setTimeout(() => resolve(void child.kill('SIGKILL')), draw(Math.ceil(length)))),
      }),
    );
    tried += 1;
    identical += Number(same);
    late += Number(!killed);
  }
  say(`killed at random moments: ${identical} of ${tried} bit-identical (${late} had ended before)`);
  let [changes, alike] = [0, 0];
  for (let n = 1; n < 1000; n++) {
    const {killed, same} = await once(`change-${n}`, (pass) =>
      runPass(pass, {preload, env: {SOAK_KILL_AT: String(n), SOAK_FOLDER: place}}),
    );
    if (!killed) break;
    changes += 1;
    alike += Number(same);
  }
  say(`killed at every change of the file system: ${alike} of ${changes} bit-identical`);
  model.dispose();
  return identical === tried && alike === changes && changes > 10;
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      images: {type: 'string', default: '200000'},
      kills: {type: 'string', default: '100'},
      every: {type: 'string', default: '60'},
      seed: {type: 'string', default: '1'},
      folder: {type: 'string', default: os.tmpdir()},
    },
  });
  const place = mkdtempSync(path.join(values.folder, 'unweave-soak-'));
  const draw = drawFrom(Number(values.seed));
  try {
    const killed = Number(values.kills) === 0 || (await kills(place, Number(values.kills), draw));
    const slept =
      Number(values.images) === 0 || (await night(place, Number(values.images), Number(values.every), draw));
    say(killed && slept ? 'all is well' : 'something is NOT as it must be');
    process.exitCode = killed && slept ? 0 : 1;
  } finally {
    rmSync(place, {recursive: true, force: true});
  }
}

void main();
