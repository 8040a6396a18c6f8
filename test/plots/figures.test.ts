import assert from 'node:assert/strict';
import path from 'node:path';
import {test} from 'node:test';
import {build} from 'esbuild';
import * as fc from 'fast-check';
import * as vega from 'vega';
import {compile} from 'vega-lite';
import {findPolysemantic, importance} from '../../src/concepts/find';
import {renderVegaSvg, themed} from '../../src/report/display';
import {averagedRelevanceVector} from '../../src/numerics/statistics';
import {cosine} from '../../src/numerics/vectors';
import {
  candidateScatter,
  cosineHistogram,
  fractionBars,
  relevanceMap,
  rhoSweep,
  similarityHeatmap,
  sourcesPlot,
  tripleDots,
  type Figure,
  type TripleDot,
} from '../../src/plots';
import {classLabel, classLabels, conceptLabels, nameText} from '../../src/plots/labels';
import {syntheticGates} from '../reference/syntheticGates';
import {
  exampleEvaluation,
  exampleSplit,
  exampleStatistics,
  exampleTriples,
  HOSTILE_NAMES,
  largeStatistics,
} from './examples';
import {snapshotFigures} from './snapshotFigures';

type Row = Record<string, unknown>;

/** The first rows of data found in a figure. */
function rowsOf(figure: unknown): Row[] {
  if (typeof figure !== 'object' || figure === null) return [];
  const {data} = figure as {data?: {values?: Row[]}};
  if (data?.values) return data.values;
  for (const value of Object.values(figure)) {
    const found = rowsOf(value);
    if (found.length > 0) return found;
  }
  return [];
}

test('a figure is plain data: it survives JSON unchanged', () => {
  for (const [name, figure] of Object.entries(snapshotFigures())) {
    assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure, name);
  }
});

test('every figure compiles without a warning', () => {
  const warnings: string[] = [];
  const logger = vega.logger(vega.Warn, undefined, (_method, _level, words) =>
    warnings.push(Array.from(words as ArrayLike<unknown>).join(' ')),
  );
  for (const figure of Object.values(snapshotFigures())) compile(themed(figure), {logger});
  assert.deepEqual(warnings, []);
});

test('the figures run in a browser: nothing of Node is in their bundle', async () => {
  const {outputFiles} = await build({
    entryPoints: [path.join(__dirname, '../../src/plots/index.ts')],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    minify: true,
  });
  assert.ok(outputFiles[0].contents.length < 140_000, `${outputFiles[0].contents.length} bytes`);
});

test('names are text, whatever is in them', () => {
  const figures = snapshotFigures();
  for (const name of ['similarity-names', 'sources-names', 'densities-names', 'fractions-names', 'ablation-names']) {
    const svg = renderVegaSvg(figures[name]);
    assert.ok(svg.includes('&lt;b&gt;dog&lt;/b&gt;'), name);
    assert.ok(svg.includes('שלום'), name);
    assert.doesNotMatch(svg, /<b>/, name);
  }
});

test('a similarity heatmap holds the cosine of every two ARVs, in an order that clusters', () => {
  const stats = exampleStatistics();
  const classes = [0, 1, 3, 4, 6];
  const rows = rowsOf(similarityHeatmap(stats, 5, {classes}));
  assert.equal(rows.length, 25);
  const arvs = new Map(
    classes.map((k) => [classLabel(k, stats.classNames[k]), averagedRelevanceVector(stats, 5, [k])]),
  );
  for (const {a, b, cosine: shown} of rows) {
    const expected = cosine(arvs.get(a as string) ?? [], arvs.get(b as string) ?? []);
    assert.ok(Math.abs((shown as number) - expected) < 1e-3, `${String(a)}, ${String(b)}`);
  }
});

test('a heatmap draws the cosine that decided, and marks what was left undecided', () => {
  const {stats} = syntheticGates({seed: 6, noise: 1.5});
  for (const arv of ['gated', 'published'] as const) {
    const found = findPolysemantic(stats, {tau: 0.05, p: 0.5, gamma: 0.9, allPairs: true, arv});
    const figure = similarityHeatmap(stats, found[0], {gamma: 0.9});
    assert.match(JSON.stringify(figure.title), new RegExp(`cosine of ${arv} vectors`));
    const rows = rowsOf(figure);
    for (const {classes, cosine: decided, decision} of found[0].pairs) {
      const [a, b] = classes.map((k) => classLabel(k, stats.classNames[k]));
      const row = rows.find((one) => one.a === a && one.b === b)!;
      assert.ok(Math.abs((row.cosine as number) - decided) < 1e-3);
      assert.equal(row.open === true, decision === 'undecided');
    }
  }
});

test('a heatmap of no channel, as of the first where none was found, says what to do', () => {
  const stats = exampleStatistics();
  const [none] = findPolysemantic(stats, {tau: 1, p: 1});
  assert.throws(() => similarityHeatmap(stats, none), {
    name: 'InputError',
    message: /invalid channel: undefined; give/,
  });
});

test('a part has the same colour in the sources and in the fractions, and no residue no row', () => {
  const colours = (figure: Figure) => {
    const [, domain, range] =
      /"scale":\{"domain":(\[[^\]]*\]),"range":(\[[^\]]*\])\}/.exec(JSON.stringify(figure)) ?? [];
    return Object.fromEntries(
      (JSON.parse(domain) as string[]).map((name, n) => [name, (JSON.parse(range) as string[])[n]]),
    );
  };
  const evaluation = exampleEvaluation(['flag', 'checker']);
  const [sources, fractions] = [colours(sourcesPlot(exampleSplit())), colours(fractionBars(evaluation))];
  assert.equal(fractions['d1 · flag (0)'], sources['flag (0)']);
  assert.equal(fractions['d2 · checker (1)'], sources['checker (1)']);
  assert.equal(fractions.residue, sources.shared);
  const nothing = {mean: 0, std: 0, interval: [0, 0] as [number, number], count: 9};
  const concepts = evaluation.concepts.map((concept) => ({
    ...concept,
    positive: {
      ...concept.positive,
      summary: {...concept.positive.summary, residue: nothing},
      random: {...concept.positive.random, residue: nothing},
    },
  }));
  assert.ok(rowsOf(fractionBars(evaluation)).some(({part}) => part === 'residue'));
  assert.ok(rowsOf(fractionBars({...evaluation, concepts})).every(({part}) => part !== 'residue'));
});

test('two classes of one name stay two rows', () => {
  const stats = {...exampleStatistics(), classNames: ['crane', 'crane', '', '', 'e', 'f', 'g']};
  const rows = rowsOf(similarityHeatmap(stats, 1, {classes: [0, 1, 2, 3]}));
  assert.deepEqual(new Set(rows.map(({a}) => a)), new Set(['crane (0)', 'crane (1)', 'class 2', 'class 3']));
});

test('a relevance map holds the fraction of every class that a channel matters to', () => {
  const stats = exampleStatistics();
  const fractions = importance(stats, 0.05);
  const rows = rowsOf(relevanceMap(stats, {tau: 0.05, p: 0.5}));
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const k = classLabels([...stats.classNames.keys()], stats.classNames).indexOf(row.class as string);
    const expected = fractions[(row.channel as number) * stats.classes + k];
    assert.ok(Math.abs((row.fraction as number) - expected) < 1e-3);
  }
});

test('the bars of the cosine histogram hold every pair once', () => {
  const stats = exampleStatistics();
  const found = findPolysemantic(stats, {tau: 0.05, p: 0.5, gamma: 0.2});
  const bars = rowsOf(cosineHistogram(found)) as {from: number; to: number; pairs: number}[];
  assert.equal(
    bars.reduce((sum, {pairs}) => sum + pairs, 0),
    found.cosines.length,
  );
  for (const {from, to, pairs} of bars) {
    const inside = found.cosines.filter((value) => value >= from - 1e-3 && value < to + 1e-3).length;
    assert.ok(inside >= pairs, `${pairs} pairs from ${from} to ${to}, not ${inside}`);
  }
});

test('sources are coloured by the owner that the split says', () => {
  const split = exampleSplit(3);
  const rows = rowsOf(sourcesPlot(split));
  assert.equal(rows.length, 60);
  for (const {source, owner} of rows) {
    const own = split.ownership?.findIndex((share, j) => {
      const others = split.ownership?.every((other, l) => l === j || other[source as number] === 0);
      return share[source as number] === 1 && others;
    });
    assert.equal(owner, own === undefined || own < 0 ? 'shared' : classLabel(own, split.concepts[own].classNames[0]));
  }
});

test('free kernels are coloured by what each part has of a source', () => {
  const split = exampleSplit(2);
  const free = sourcesPlot({...split, ownership: undefined, rho: undefined});
  const owners = new Set(rowsOf(free).map(({owner}) => owner));
  assert.deepEqual(owners, new Set(['mostly flag (0)', 'mostly checker (1)', 'in several parts']));
});

test('a wide range of scores gets a logarithmic axis, a narrow one does not', () => {
  const axis = (scores: number[]) => {
    const rho = {rho: 0.1, scores: scores.map((score, i) => ({rho: (i + 1) / 10, score})), zeroDenominators: 0};
    return JSON.stringify(rhoSweep({...exampleSplit(), rho})).includes('"type":"log"');
  };
  assert.equal(axis([2, 3, 4]), false);
  assert.equal(axis([2, 3000, 4]), true);
  assert.equal(axis([0, 3000, 4]), false);
});

test('a thousand classes and two thousand channels are reduced, and the figure says so', () => {
  const stats = largeStatistics();
  const found = findPolysemantic(stats, {tau: 0.03, p: 0.5});
  const figures: [Figure, RegExp][] = [
    [similarityHeatmap(stats, 31), /40 of 1,000 classes/],
    [relevanceMap(stats, {tau: 0.03, p: 0.5}), /40 of 2,048 channels.*40 of 1,000 classes/],
    [candidateScatter(found), /2,000 channels of 2,048 candidates/],
  ];
  for (const [figure, reduced] of figures) {
    const text = JSON.stringify(figure);
    assert.match(JSON.stringify((figure as {title: unknown}).title).replace('","', ' '), reduced);
    assert.ok(text.length < 400_000, `${text.length} bytes`);
  }
});

test('class labels differ from each other, and so do those of concepts', () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'a ', '', ...HOSTILE_NAMES), {minLength: 1, maxLength: 12});
  fc.assert(
    fc.property(names, (list) => {
      const labels = classLabels([...list.keys()], list);
      assert.equal(new Set(labels).size, labels.length);
      const concepts = conceptLabels(list.map((name) => ({classNames: [name]})));
      assert.equal(new Set(concepts).size, concepts.length);
    }),
  );
});

test('a name from right to left is kept from turning its surroundings around', () => {
  assert.equal(nameText('שלום\n  עולם'), '\u2068שלום עולם\u2069');
  assert.equal(nameText(' plain\tname '), 'plain name');
});

test('a channel and class that occur in several triples have a row for each', () => {
  const [dot] = exampleTriples();
  const one = {...dot, channel: 54, className: 'airplane (0)'};
  const rows = (dots: TripleDot[]) => [...new Set(rowsOf(tripleDots(dots)).map(({row}) => row))];
  assert.deepEqual(
    rows([
      {...one, otherName: 'automobile (1)'},
      {...one, otherName: 'truck (9)'},
    ]),
    ['54 · airplane (0) / automobile (1)', '54 · airplane (0) / truck (9)'],
  );
  assert.deepEqual(rows([one, one]), ['54 · airplane (0) [1]', '54 · airplane (0) [2]']);
  assert.deepEqual(rows([{...one, otherName: 'truck (9)'}]), ['54 · airplane (0)']);
});
