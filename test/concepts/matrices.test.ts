import assert from 'node:assert/strict';
import {test} from 'node:test';
import {classSimilarities, relevanceVectors} from '../../src/concepts/matrices';
import {averagedRelevanceVector} from '../../src/numerics/statistics';
import {similarityMap} from '../../src/plots/similarityMap';
import {isPlotlyFigure} from '../../src/report/display';
import {syntheticStatistics} from '../reference/syntheticStatistics';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);

test('vectors and cosines leave with their shapes, and are those of the definitions', () => {
  const stats = syntheticStatistics({seed: 5});
  const classes = [3, 0, 2];
  const vectors = relevanceVectors(stats, 1, {classes});
  assert.deepEqual(vectors.shape, [3, stats.layer.shape[2]]);
  classes.forEach((k, row) => {
    const expected = averagedRelevanceVector(stats, 1, [k]);
    expected.forEach((value, i) => assert.equal(vectors.get(row, i), value));
  });
  const cosines = classSimilarities(stats, 1, {classes});
  assert.deepEqual(cosines.shape, [3, 3]);
  classes.forEach((a, i) =>
    classes.forEach((b, j) => {
      const [x, y] = [a, b].map((k) => averagedRelevanceVector(stats, 1, [k]));
      const expected = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
      assert.ok(Math.abs(cosines.get(i, j) - expected) < 1e-12, `${i}, ${j}`);
    }),
  );
});

test('a map that zooms is a Plotly figure of all classes, in their order', () => {
  const stats = syntheticStatistics({seed: 5});
  const figure = similarityMap(stats, 1, {classes: [3, 0]});
  assert.ok(isPlotlyFigure(figure));
  const [{x, z}] = figure.data as [{x: string[]; z: number[][]}];
  assert.equal(x.length, 2);
  assert.deepEqual(
    z.map((row) => row.length),
    [2, 2],
  );
  assert.ok(Math.abs(z[0][1] - classSimilarities(stats, 1).get(3, 0)) < 1e-3);
});
