import assert from 'node:assert/strict';
import {test} from 'node:test';
import path from 'node:path';
import {ensureBackend} from '../../src/engine';
import {KNOWN_FOLDER, loadKnownWeights} from '../../src/known/weights';
import {knownImages} from '../../src/known/images';
import {KNOWN_LAYER, knownModel} from '../../src/known/network';
import {knownNetwork} from '../../src/known/networks';
import {CLASS_PARTS, CODES} from '../../src/known/parts';
import {adjustedRandIndex} from '../../src/numerics/agreement';
import {discoverConcepts, sampleStrata} from '../../src/split/discover';
import {disentangle} from '../../src/split/disentangle';
import {loadSplit, saveSplit} from '../../src/split/store';
import {evaluateSplit} from '../../src/evaluate';
import {predictedLabels} from '../../src/pass/predictedLabels';
import {findPolysemantic} from '../../src/concepts/find';
import {collectRelevance} from '../../src/relevance/collect';
import {keepsTensorCount} from '../reference/engines';
import {temporaryFolder} from '../reference/temporaryFolder';

const options = {layer: KNOWN_LAYER, progress: false as const};

test('the parts of a taught channel are found without labels', async () => {
  await ensureBackend();
  const model = await knownNetwork('picture-plain', 1);
  const images = knownImages('test', 6);
  const channel = CODES.findIndex((code) => code.length === 2);
  const found = await keepsTensorCount(async () => {
    const result = await discoverConcepts(model, images, channel, {...options, count: 2});
    model.dispose();
    return result;
  });
  const owners: number[] = [];
  const truth: number[] = [];
  found.concepts.forEach(({images: members}, j) => {
    for (const index of members) {
      const part = CLASS_PARTS[Math.floor(index / 6)].find((one) => CODES[channel].includes(one));
      if (part === undefined) continue;
      owners.push(j);
      truth.push(part);
    }
  });
  assert.ok(owners.length > 20);
  assert.ok(adjustedRandIndex(owners, truth) > 0.6, String(found));
  assert.ok(found.concepts.every(({exemplars}) => exemplars.every(({centre}) => centre.every((x) => x > 0 && x < 1))));
});

test('a channel that does not exist or fires in too few images is refused, and so is no cluster', async () => {
  const model = await knownNetwork('picture-plain', 1);
  const images = knownImages('test', 1);
  await assert.rejects(discoverConcepts(model, images, 16, options), /layer studied has channels 0 to 15/);
  await assert.rejects(discoverConcepts(model, images, 0, {...options, count: 0}), /invalid number of clusters: 0/);
  await assert.rejects(
    discoverConcepts(model, images, 0, {...options, count: 20}),
    /too few for 20 clusters; 80 are needed/,
  );
  model.dispose();
});

test('a channel is divided by its clusters, kept, and evaluated without a label', async (t) => {
  const model = await knownNetwork('picture-plain', 1);
  const images = knownImages('test', 6);
  const unlabelled = {
    ...images,
    labelsFor: () => {
      throw new Error('labels were asked for');
    },
  };
  const channel = CODES.findIndex((code) => code.length === 2);
  const found = await discoverConcepts(model, unlabelled, channel, {...options, count: 2});
  const quiet = {images: unlabelled, progress: false as const};
  const split = await disentangle(model, found, {...quiet, rule: 'freeRidge'});
  assert.deepEqual(
    split.concepts.map(({classNames}) => classNames),
    [['cluster 1'], ['cluster 2']],
  );
  const folder = await temporaryFolder(t);
  await saveSplit(split, `${folder}/split`);
  const again = await loadSplit(`${folder}/split`, model);
  assert.deepEqual(again.concepts, split.concepts);
  again.dispose();
  const evaluated = await evaluateSplit(split, await predictedLabels(model, unlabelled, {progress: false}), {
    progress: false,
    randomSplits: 4,
    tau: 0.002,
  });
  evaluated.concepts.forEach(({auroc}, j) => assert.ok(auroc.parts[j] > 0.9, String(evaluated)));
  const published = await disentangle(model, found, {...quiet, rule: 'published'});
  assert.ok(published.rho!.rho > 0);
  await assert.rejects(disentangle(model, {...found, concepts: [found.concepts[0]]}, quiet), /1 cluster of channel/);
  const other = await knownNetwork('picture-plain', 2);
  await assert.rejects(disentangle(other, found, quiet), /of another model/);
  for (const one of [split, published, model, other]) one.dispose();
});

test('clusters are found in an early layer, and with an image alone refused', async () => {
  const model = await knownNetwork('picture-plain', 1);
  const found = await discoverConcepts(model, knownImages('test', 3), 5, {...options, layer: 'conv1', count: 2});
  assert.equal(found.concepts.length, 2);
  assert.ok(found.concepts.every(({exemplars}) => exemplars.every(({position: [row]}) => row < 32)));
  const one = knownImages('test', 1);
  const single = {...one, paths: one.paths.slice(0, 1)};
  await assert.rejects(discoverConcepts(model, single, 5, {...options, layer: 'conv1'}), /too few for 2 clusters/);
  model.dispose();
});

test('labels that the network predicts stand for labels in a collection', async () => {
  const model = await knownNetwork('picture-plain', 1);
  const images = knownImages('test', 3);
  const unlabelled = {...images, labelsFor: () => assert.fail('labels were asked for')};
  const labelled = await predictedLabels(model, unlabelled, {progress: false});
  const labels = labelled.labelsFor(24);
  const right = images.labelsFor(24).filter((k, n) => k === labels[n]).length;
  assert.ok(right > 0.7 * labels.length, `${right}`);
  assert.throws(() => labelled.labelsFor(10), /not a model with 10/);
  const stats = await collectRelevance(model, unlabelled, {...options, labels: 'predicted'});
  assert.deepEqual(stats.images.labels, labels);
  assert.equal(stats.images.labelsFile, 'predicted');
  assert.equal(
    stats.hits.reduce((a, b) => a + b),
    labels.length,
  );
  assert.ok(findPolysemantic(stats, {tau: 2 / 16}).candidates.length > 0);
  model.dispose();
});

test('a channel that never fires is said to, and statistics without gates say how to collect them', async () => {
  const {weights} = await loadKnownWeights(path.join(KNOWN_FOLDER, 'picture-plain-1.safetensors'));
  weights[4].bias[3] = -1e6;
  const model = knownModel(weights, 'a silent channel');
  const images = knownImages('test', 1);
  await assert.rejects(
    discoverConcepts(model, images, 3, options),
    /channel 3 of studied never fires in 24 images, too few for 2 clusters; 8 are needed, so give more images or another channel/,
  );
  const stats = await collectRelevance(model, images, {...options, gates: false});
  assert.throws(() => findPolysemantic(stats, {tau: 2 / 16, arv: 'gated'}), /collect them again with gates: true/);
  model.dispose();
});

test('weak outputs are drawn in proportion to their cube, each image once, strongest first', () => {
  const found = Array.from({length: 1000}, (_, n) => ({value: n < 500 ? 1 : 0.5, n}));
  const sample = sampleStrata(found, 90);
  assert.equal(new Set(sample.map(({n}) => n)).size, sample.length);
  assert.equal(sample.filter(({value}) => value === 1).length, 80); // 500 · 1 against 500 · 1/8
  assert.equal(sample.length, 90);
  assert.ok(sample.every(({value}, at) => at === 0 || value <= sample[at - 1].value));
  const few = found.slice(495, 505);
  assert.deepEqual(sampleStrata(few, 90), few, 'all of a few images');
  assert.deepEqual(sampleStrata([{value: 1}, {value: 0.05}]), [{value: 1}], 'below a tenth of the strongest');
  assert.deepEqual(sampleStrata([]), []);
});
