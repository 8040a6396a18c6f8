import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import type {Model} from '../../src/network/types';
import type {Split} from '../../src/split/types';
import {verifySplit} from '../../src/split/verify';
import {proofView} from '../../src/report/show/splitViews';
import {eachEngine} from '../reference/engines';
import {CLASSES, smallImages} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';

const images = smallImages(8);

/** The split, but for logits that both networks are made to give: one row for all images. */
function saying(split: Split, before: number[], after: number[]): Split {
  const model = (base: Model, row: number[]): Model => ({
    ...base,
    classes: CLASSES,
    logits: (pixels) => tf.tile(tf.tensor2d([row]), [pixels.shape[0], 1]) as tf.Tensor2D,
    dispose: () => {},
  });
  return {...split, before: model(split.before, before), model: model(split.model, after)};
}

eachEngine('exact means at most 1e-5 of the largest logit, and is told in every form', async () => {
  const split = smallSplit({kind: 'conv'});
  const proofOf = (before: number[], after: number[]) =>
    verifySplit(saying(split, before, after), images, {progress: false});

  const within = await proofOf([100, 99, 0, 0], [100.0005, 99, 0, 0]);
  assert.deepEqual([within.exact, within.changed, within.unexplained], [true, 0, 0]);
  assert.match(String(within), /; the split is exact$/m);
  assert.match(JSON.stringify(proofView(within)), /The network computes the same after the split/);
  assert.equal((JSON.parse(JSON.stringify(within)) as typeof within).exact, true);

  const near = await proofOf([100, 99.9995, 0, 0], [100, 100.0002, 0, 0]);
  assert.deepEqual([near.exact, near.changed, near.unexplained], [true, 8, 0], 'the two best are this close');
  assert.match(String(near), /8 changed, 0 of them beyond rounding; the split is exact/);

  const wrong = await proofOf([100, 99, 0, 0], [100, 101, 0, 0]);
  assert.deepEqual([wrong.exact, wrong.changed, wrong.unexplained], [false, 8, 8]);
  assert.equal(wrong.top1Agreement, 0);
  assert.match(String(wrong), /the split is NOT exact: the difference is more than 1e−5 of the largest logit/);
  assert.match(JSON.stringify(proofView(wrong)), /does NOT compute the same/);

  const beyond = await proofOf([100, 50, 0, 0], [100.01, 50, 0, 0]);
  assert.deepEqual([beyond.exact, beyond.changed], [false, 0], 'the same class on top does not make it exact');
});

eachEngine('logits that are not numbers are never exact', async () => {
  const split = smallSplit({kind: 'conv'});
  for (const [before, after] of [
    [
      [1, 2, 3, 4],
      [1, NaN, 3, 4],
    ],
    [
      [NaN, NaN, NaN, NaN],
      [NaN, NaN, NaN, NaN],
    ],
    [
      [1, 2, 3, Infinity],
      [1, 2, 3, Infinity],
    ],
    [
      [1, 2, 3, 4],
      [1, 2, 3, -Infinity],
    ],
    [
      [1, 2, 3, Infinity],
      [1, 2, 3, 4],
    ],
  ]) {
    const proof = await verifySplit(saying(split, before, after), images, {progress: false});
    assert.equal(proof.exact, false);
    assert.match(String(proof), /NOT exact: there are logits that are not finite/);
    assert.match(JSON.stringify(proofView(proof)), /logits that are not finite/);
  }
});

test('a small split of a small network is exact', async () => {
  const proof = await verifySplit(smallSplit({kind: 'conv', size: 3}), images, {progress: false});
  assert.equal(proof.exact, true);
});
