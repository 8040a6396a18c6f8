import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {evaluateSplit} from '../../src/evaluate';
import {bundleOf} from '../../src/report/show';
import type {Split} from '../../src/split/types';
import {smallImages} from '../reference/smallNetworks';
import {relevantChannel, smallSplit} from '../reference/smallSplits';

const textOf = async (value: unknown) => String((await bundleOf(value)).data['text/plain']);
const htmlOf = async (value: unknown) => String((await bundleOf(value)).data['text/html']);

test('a split shows its rewiring, with the sources of each kernel counted', async () => {
  await ensureBackend();
  const split: Split = smallSplit({kind: 'conv'});
  const inputs = split.kernelShape[2];
  const used = (kernel: Float32Array) =>
    Array.from({length: inputs}, (_, i) => i).filter((i) =>
      kernel.some((weight, at) => at % inputs === i && weight !== 0),
    ).length;
  const text = await textOf(split);
  for (const [name, kernel] of [
    [`channel ${split.channel}`, split.original],
    ['d1', split.parts[0]],
    ['d2', split.parts[1]],
    ['r', split.residue],
  ] as const) {
    assert.match(text, new RegExp(`${name} \\([^)]*\\)?.*${used(kernel)} sources?`), name);
  }
  assert.match(text, /d1 replaces channel/);
  split.dispose();
});

test('an evaluation opens with its verdict, folds a long table, and drops a residue that is zero throughout', async () => {
  await ensureBackend();
  const images = smallImages(24);
  const {network, channel} = await relevantChannel({kind: 'conv', size: 3}, [[0], [1]], images, 0.1);
  const split = smallSplit(network, {channel});
  const evaluation = await evaluateSplit(split, images, {tau: 0.01, randomSplits: 3, progress: false});
  assert.match(await textOf(evaluation), /^(Both|All \d+|\d+ of \d+) parts are separated/);
  assert.match(await htmlOf(evaluation), /<details/);
  const still = {mean: 0, std: 0, interval: [0, 0] as [number, number], count: 1};
  const without = {
    ...evaluation,
    concepts: evaluation.concepts.map((concept) => {
      const silent = (of: typeof concept.published) => ({
        ...of,
        summary: {...of.summary, residue: still},
        random: {...of.random, residue: still},
      });
      return {
        ...concept,
        published: silent(concept.published),
        positive: silent(concept.positive),
        ratioOfSums: silent(concept.ratioOfSums),
      };
    }),
  };
  assert.match(await textOf(evaluation), /\n +residue/);
  assert.doesNotMatch(await textOf(without), /\n +residue/);
  split.dispose();
});
