import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {findPolysemantic, relevantClasses} from '../../src/concepts/find';
import {imageFolder} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import {loadModel} from '../../src/formats/load';
import type {Model} from '../../src/network/types';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import {verifySplit} from '../../src/split/verify';
import {eachEngine} from '../reference/engines';
import {sharedData} from '../reference/sharedData';

/** An independent PyTorch restatement of the published procedure; tolerances are those of the data's README. */
interface Reference {
  files: string[];
  labels: number[];
  tau: number;
  p: number;
  top1: number;
  pairs: [channel: number, a: number, b: number, cosine: number][];
  pair_count: number;
  splits: {
    channel: number;
    classes: [number, number];
    rho: number;
    rho_scores: Record<string, number>;
    source1: number[];
    source2: number[];
    arv1: number[];
    arv2: number[];
  }[];
}

const quiet = {progress: false as const};

async function agrees(reference: Reference, model: Model, images: LabelledImages, layer: string): Promise<void> {
  assert.deepEqual(images.paths, reference.files);
  const stats = await collectRelevance(model, images, {layer, ...quiet});
  const {tau, p} = reference;
  const found = findPolysemantic(stats, {tau, p, allPairs: true, arv: 'published'});
  assert.equal(found.pairs.length, reference.pair_count);
  const relevant = relevantClasses(stats, {tau, p});
  const cosines = new Map(found.pairs.map(({channel, classes, cosine}) => [`${channel}:${classes.join()}`, cosine]));
  for (const [channel, a, b, cosine] of reference.pairs) {
    assert.ok(relevant[channel].includes(a) && relevant[channel].includes(b));
    const mine = cosines.get(`${channel}:${a},${b}`) as number;
    assert.ok(
      Math.abs(mine - cosine) <= 1e-4,
      `channel ${channel}, classes ${a} and ${b}: ${mine} instead of ${cosine}`,
    );
  }
  for (const expected of reference.splits) {
    const target = {channel: expected.channel, concepts: expected.classes};
    const split = await disentangle(model, stats, target, {images, rule: 'published', ...quiet});
    const what = `channel ${expected.channel}, classes ${expected.classes.join()}`;
    const scores = Object.values(expected.rho_scores);
    const chosen = expected.rho_scores[split.rho?.rho === 1 ? '1.0' : String(split.rho?.rho)];
    assert.ok(chosen >= Math.max(...scores) * 0.999, `${what}: ρ ${split.rho?.rho}`);
    const same = await disentangle(model, stats, target, {rho: expected.rho});
    assert.deepEqual(same.sources, [expected.source1, expected.source2], what);
    [expected.arv1, expected.arv2].forEach((arv, j) => {
      const scale = Math.max(...arv.map(Math.abs));
      arv.forEach((value, i) =>
        assert.ok(Math.abs(split.concepts[j].arv[i] - value) <= 1e-3 * scale, `${what}: ARV[${i}]`),
      );
    });
    if (expected === reference.splits[0]) {
      const proof = await verifySplit(split, images, quiet);
      assert.ok(proof.maxAbsLogitDifference <= 1e-5 * proof.maxAbsLogit && proof.exact && proof.unexplained === 0);
      assert.ok(Math.abs(proof.top1.before - reference.top1) < 1e-6, `top-1 ${proof.top1.before}`);
    }
    split.dispose();
  }
}

eachEngine('CIFAR ResNet-20 gives the reference’s pairs, ρ and sources', async (t) => {
  const [json, checkpoint, train] = [
    ['reference', 'resnet20-layer3.2.conv2.json'],
    ['models', 'resnet20-12fca82f.th'],
    ['cifar10', 'train'],
  ].map((parts) => sharedData(t, ...parts));
  if (!json || !checkpoint || !train) return;
  const reference = JSON.parse(readFileSync(json, 'utf8')) as Reference;
  const model = await loadModel(checkpoint, {arch: 'resnet20'});
  await agrees(reference, model, await imageFolder(train), 'layer3.2.conv2');
  model.dispose();
});

eachEngine('ImageNet MobileNet gives the reference’s pairs, ρ and sources', async (t) => {
  const [json, folder, crops] = [
    ['reference', 'mobilenet-conv_pw_13.json'],
    ['models', 'mobilenet_v1_0.75_224'],
    ['imagenet-samples', 'crops-224'],
  ].map((parts) => sharedData(t, ...parts));
  if (!json || !folder || !crops) return;
  const reference = JSON.parse(readFileSync(json, 'utf8')) as Reference;
  const model = await loadModel(folder, {preset: 'tf'});
  const labels = Object.fromEntries(reference.files.map((file, index) => [file, reference.labels[index]]));
  await agrees(reference, model, await imageFolder(crops, {labels}), 'conv_pw_13');
  model.dispose();
});
