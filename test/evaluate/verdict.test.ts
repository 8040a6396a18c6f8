import assert from 'node:assert/strict';
import {test} from 'node:test';
import {verdictsOf} from '../../src/evaluate';
import type {ConceptEvaluation, Fractions} from '../../src/evaluate';

const summary = (mean: number, low = mean, high = mean) => ({
  mean,
  std: 0.1,
  interval: [low, high] as [number, number],
  count: 20,
});

/** A concept by the fractions that the parts carry on its images, and the range of random splits. */
function concept(name: string, parts: number[], random: [number, number]): ConceptEvaluation {
  const fractions = {
    summary: {parts: parts.map((part) => summary(part)), residue: summary(0)},
    random: {parts: parts.map(() => summary((random[0] + random[1]) / 2, ...random)), residue: summary(0)},
  } as unknown as Fractions;
  return {classes: [0], classNames: [name], ratioOfSums: fractions} as unknown as ConceptEvaluation;
}

test('a part is separated where it carries more of its own than random splits do, and less of the others than they do on average', () => {
  const good = verdictsOf({
    randomSplits: 20,
    concepts: [concept('leaf', [0.9, 0.05], [0.2, 0.6]), concept('clock', [0.1, 0.8], [0.3, 0.7])],
  });
  assert.deepEqual(
    good.map(({separated}) => separated),
    [true, true],
  );
  const [bad, leaking] = verdictsOf({
    randomSplits: 20,
    concepts: [concept('leaf', [0.39, 0.5], [0.11, 0.52]), concept('clock', [0.1, 0.8], [0.3, 0.7])],
  });
  assert.equal(
    bad.sentence,
    'd1 leaf (0) carries 0.39 of its own (random splits 0.11 to 0.52) and 0.10 of the other (random splits 0.50): not separated',
  );
  assert.equal(leaking.separated, false, 'it carries 0.5 of the other, more than the 0.32 of random splits');
});

test('without random splits there is no verdict, and a fraction that is no number is never called separated', () => {
  const concepts = [concept('leaf', [NaN, 0], [0, 1]), concept('clock', [0, 1], [0, 1])];
  assert.equal(verdictsOf({randomSplits: 0, concepts})[0].separated, undefined);
  assert.equal(verdictsOf({randomSplits: 20, concepts})[0].separated, false);
});
