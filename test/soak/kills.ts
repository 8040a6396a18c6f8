import {rmSync} from 'node:fs';
import path from 'node:path';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {runPass, type Pass, type Ran} from './disturbed';
import {soakPass, told, type Kind} from './setting';

const IMAGES = 192;

/**
 * Short passes, each killed once (SIGKILL) and then run to its end: `count` of them at random moments, and one at every change of the file
 * system where `changes`.
 * @returns whether all ended as passes that were not killed, to the last bit
 */
export async function kills(
  place: string,
  kind: Kind,
  {
    count,
    changes: everyChange,
    draw,
    say,
  }: {count: number; changes: boolean; draw: (below: number) => number; say: (line: string) => void},
): Promise<boolean> {
  const expected = new Map<number | undefined, string>();
  /** What an undisturbed pass with the same batches gives. */
  const undisturbed = async (batchSize: number | undefined) => {
    const known = expected.get(batchSize);
    if (known !== undefined) return known;
    const made = told(await soakPass(kind, IMAGES, {progress: false, ...(batchSize !== undefined && {batchSize})}));
    expected.set(batchSize, made);
    return made;
  };
  const once = async (name: string, kill: (pass: Pass) => Promise<Ran>) => {
    const folder = path.join(place, name);
    const ran = await kill({folder, images: IMAGES, checkpointSeconds: 0, kind});
    const stats: RelevanceStatistics[] = await soakPass(kind, IMAGES, {out: folder, progress: false});
    const same = told(stats) === (await undisturbed(stats[0].batchSize));
    if (!same) say(`${name}: NOT identical`);
    rmSync(folder, {recursive: true});
    return {killed: ran.signal === 'SIGKILL', same};
  };
  const first = await runPass({folder: path.join(place, 'timed'), images: IMAGES, checkpointSeconds: 0, kind});
  if (first.code !== 0) throw new Error(`the undisturbed pass ended with ${first.code}: ${first.message}`);
  let [identical, killed] = [0, 0];
  for (let n = 0; killed < count && n < 4 * count; n++) {
    const moment = draw(Math.ceil(first.milliseconds));
    const done = await once(`random-${n}`, (pass) =>
      runPass(pass, {
        during: async (child, _done, begun) => {
          await begun;
          await new Promise((resolve) => setTimeout(resolve, moment));
          child.kill('SIGKILL');
        },
      }),
    );
    // One that had ended before tells nothing.
    killed += Number(done.killed);
    identical += Number(done.killed && done.same);
    if (n % 10 === 9) say(`  killed at random moments so far: ${identical} of ${killed} bit-identical`);
  }
  say(`${kind}: killed at random moments: ${identical} of ${killed} bit-identical`);
  if (!everyChange) return killed === count && identical === killed;
  let [changes, alike] = [0, 0];
  const preload = path.join(__dirname, 'killAt.cjs');
  for (let n = 1; n < 1000; n++) {
    const done = await once(`change-${n}`, (pass) =>
      runPass(pass, {preload, env: {SOAK_KILL_AT: String(n), SOAK_FOLDER: place}}),
    );
    if (!done.killed) break;
    changes += 1;
    alike += Number(done.same);
    if (n % 10 === 0) say(`  killed at changes so far: ${alike} of ${changes} bit-identical`);
  }
  say(`${kind}: killed at every change of the file system: ${alike} of ${changes} bit-identical`);
  return killed === count && identical === killed && alike === changes && changes > 10;
}
