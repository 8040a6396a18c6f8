import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import path from 'node:path';
import {before, test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import type {LabelledImages} from '../../src/images/types';
import {collectRelevance} from '../../src/relevance/collect';
import {loadStatistics} from '../../src/relevance/store';
import {smallImages, smallModel} from '../reference/smallNetworks';
import {temporaryFolder} from '../reference/temporaryFolder';
import {fill, smallDisk} from '../soak/disturbed';

before(() => ensureBackend());

/** The images, and something that happens before one of them is read. */
function disturbedAt(images: LabelledImages, at: number, disturb: () => void): LabelledImages {
  let done = false;
  return {
    ...images,
    concurrency: 1,
    pixels(index, size) {
      if (index === at && !done) {
        done = true;
        disturb();
      }
      return images.pixels(index, size);
    },
  };
}

test('a disk that is full and one that turns read-only in the middle of a pass are named, and the same call goes on', async (t) => {
  const disk = path.join(await temporaryFolder(t), 'disk');
  const unmount = smallDisk(disk, 2);
  if (!unmount) {
    t.skip('no disk of its own can be mounted here');
    return;
  }
  try {
    const model = smallModel({kind: 'conv'});
    const images = smallImages(40);
    const options = {layer: 'studied', batchSize: 2, checkpointSeconds: 0, progress: false as const};
    const whole = await collectRelevance(model, images, {...options, out: path.join(disk, 'whole')});
    const remount = (how: string) => execFileSync('mount', ['-o', `remount,${how}`, disk], {stdio: 'ignore'});
    const faults: [string, RegExp, () => () => void][] = [
      ['full', /the disk is full; free some space/, () => fill(disk)],
      ['read-only', /the disk is read-only/, () => (remount('ro'), () => remount('rw'))],
    ];
    for (const [name, message, disturb] of faults) {
      const out = path.join(disk, name);
      let mend = () => {};
      const disturbed = disturbedAt(images, 20, () => (mend = disturb()));
      await assert.rejects(
        collectRelevance(model, disturbed, {...options, out}),
        (error) => error instanceof InputError && (assert.match(error.message, message), true),
      );
      const kept = (await loadStatistics(out)).images.done;
      assert.ok(kept > 0 && kept < 40, `${kept} images were kept`);
      mend();
      const ended = await collectRelevance(model, images, {...options, out});
      assert.deepEqual(ended.inputSums, whole.inputSums);
      assert.deepEqual(ended.shares, whole.shares);
    }
    model.dispose();
  } finally {
    unmount();
  }
});
