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
    good.map(({outcome}) => outcome),
    ['separated', 'separated'],
  );
  const [bad, leaking] = verdictsOf({
    randomSplits: 20,
    concepts: [concept('leaf', [0.39, 0.5], [0.11, 0.52]), concept('clock', [0.1, 0.8], [0.3, 0.7])],
  });
  assert.equal(
    bad.sentence,
    'd1 leaf (0) carries 0.39 of its own (random splits 0.11 to 0.52) and 0.10 of the other (random splits 0.50): not separated',
  );
  assert.equal(leaking.outcome, 'not separated', 'it carries 0.5 of the other, more than the 0.32 of random splits');
});

test('without random splits there is no verdict, and a fraction that is no number is never called separated', () => {
  const concepts = [concept('leaf', [NaN, 0], [0, 1]), concept('clock', [0, 1], [0, 1])];
  assert.equal(verdictsOf({randomSplits: 0, concepts})[0].outcome, 'no control');
  assert.equal(verdictsOf({randomSplits: 20, concepts})[0].outcome, 'not separated');
});

test('a part is undecided where the interval of its mean reaches what random splits do', () => {
  const leaks = concept('clock', [0.25, 0.8], [0, 0.6]); // random splits 0.3 on average
  const own = concept('leaf', [0.9, 0], [0.2, 0.6]);
  leaks.ratioOfSums.summary.parts[0] = summary(0.25, 0.21, 0.31);
  const [hair] = verdictsOf({randomSplits: 20, concepts: [own, leaks]});
  assert.match(
    hair.sentence,
    /0\.25 of the other \(random splits 0\.30\): undecided, as an interval of the mean reaches them$/,
  );
  leaks.ratioOfSums.summary.parts[0] = summary(0.25, 0.21, 0.29);
  assert.equal(verdictsOf({randomSplits: 20, concepts: [own, leaks]})[0].outcome, 'separated');
  own.ratioOfSums.summary.parts[0] = summary(0.62, 0.55, 0.69);
  assert.equal(verdictsOf({randomSplits: 20, concepts: [own, leaks]})[0].outcome, 'undecided');
});
