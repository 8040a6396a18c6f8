import assert from 'node:assert/strict';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import type {LabelledImages} from '../../src/images/types';
import {cutAt} from '../../src/network/cut';
import {foldBatchNorm} from '../../src/network/fold';
import type {Graph, GraphNode} from '../../src/network/graph';
import {makeModel} from '../../src/network/model';
import type {Model} from '../../src/network/types';
import {actGrad, compareAttributions, gradCam, lrp} from '../../src/pass/attribution';
import {ATTRIBUTIONS, attributionNamed, describeAttributions} from '../../src/pass/attribution/named';
import {runPass, type BatchCollector} from '../../src/pass/runPass';
import type {Attribution} from '../../src/pass/types';
import {collectRelevance} from '../../src/relevance/collect';
import {mergeStatistics} from '../../src/relevance/merge';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {lrpSlowly, slowValuesOf, type SlowRule} from '../reference/lrpSlowly';
import {batchNorm, convolution, dense, graphOf, plain, seeded} from '../reference/madeGraphs';
import {node} from '../../src/network/operators';
import {SIDE, SMALL_PRESET, smallImages, smallModel} from '../reference/smallNetworks';
import type {Values} from '../reference/slowValues';

const quiet = {progress: false as const};

interface Found {
  z: Float32Array;
  crossing: Float32Array[];
  logits: Float32Array;
  relevance: Float32Array;
  label: number;
}

/** What a batch of one image holds, of each image. */
async function measured(model: Model, images: LabelledImages, attribution: Attribution, layer = 'studied') {
  const found: Found[] = [];
  const collector: BatchCollector = {
    init: () => undefined,
    measure: (batch) => ({
      z: batch.output().clone(),
      logits: batch.logits().clone(),
      relevance: batch.relevance().clone(),
      ...Object.fromEntries(batch.crossing().map((tensor, n) => [`crossing ${n}`, tensor.clone()])),
    }),
    add(_state, {labels}, {z, logits, relevance, ...crossing}) {
      const values = Object.values(crossing) as Float32Array[];
      found.push({z, logits, relevance, crossing: values, label: labels[0]} as Found);
    },
  };
  await runPass(model, images, {layers: [layer], attribution, batchSize: 1, ...quiet}, [collector]);
  return found;
}

/** Convolutions, an inverted bottleneck with a gate and a shortcut, pooling and two dense layers behind the studied layer. */
function gated({bias}: {bias: boolean}): Graph {
  const depthwise = node('DepthwiseConv2D', 'depthwise', {
    inputs: ['studied_relu'],
    args: {padding: 'same'},
    weights: [seeded('kernel', [3, 3, 5, 1], 'depthwise'), ...(bias ? [seeded('bias', [5], 'depthwise')] : [])],
  });
  return graphOf(
    [SIDE, SIDE, 3],
    [
      convolution('studied', 'image', [3, 3, 3, 5], {strides: [3, 3], padding: 'same', bias}),
      ...(bias ? [batchNorm('studied_bn', 'studied', 5)] : []),
      plain('ReLU', 'studied_relu', bias ? 'studied_bn' : 'studied'),
      depthwise,
      plain('MaxPooling2D', 'pooled', 'depthwise', {poolSize: [2, 2], strides: [1, 1]}),
      plain('GlobalAveragePooling2D', 'squeezed', 'pooled', {keepdims: true}),
      convolution('gate', 'squeezed', [1, 1, 5, 5], {bias}),
      plain('Activation', 'opened', 'gate', {activation: 'sigmoid'}),
      plain('Multiply', 'scaled', ['pooled', 'opened']),
      convolution('more', 'pooled', [1, 1, 5, 5], {bias}),
      ...(bias ? [batchNorm('more_bn', 'more', 5)] : []),
      plain('ReLU', 'more_relu', bias ? 'more_bn' : 'more'),
      plain('Add', 'sum', ['scaled', 'more_relu']),
      plain('Concatenate', 'both', ['sum', 'pooled'], {axis: 3}),
      plain('GlobalAveragePooling2D', 'mean', 'both'),
      dense('hidden', 'mean', [10, 6], bias),
      plain('ReLU', 'hidden_relu', 'hidden'),
      dense('logits', 'hidden_relu', [6, 4], bias),
    ],
  );
}

/** A plain network of ReLUs without biases: z⁺ conserves where no value without a positive contribution has relevance. */
const unbiased = graphOf(
  [SIDE, SIDE, 3],
  [
    convolution('studied', 'image', [3, 3, 3, 5], {padding: 'same'}),
    plain('ReLU', 'studied_relu', 'studied'),
    plain('MaxPooling2D', 'pooled', 'studied_relu', {poolSize: [2, 2], strides: [2, 2]}),
    convolution('next', 'pooled', [3, 3, 5, 6], {padding: 'same'}),
    plain('ReLU', 'next_relu', 'next'),
    plain('GlobalAveragePooling2D', 'mean', 'next_relu'),
    dense('logits', 'mean', [6, 4], false),
  ],
);

const madeModel = (graph: Graph) => makeModel(graph, {name: 'made', preset: SMALL_PRESET});

const RULES: [Attribution, (node: GraphNode) => SlowRule][] = [
  [lrp({epsilon: 0.01}), () => ({rule: 'epsilon', epsilon: 0.01})],
  [lrp({gamma: 0.5, epsilon: 1e-3}), () => ({rule: 'gamma', gamma: 0.5, epsilon: 1e-3})],
  [lrp({rule: 'zPlus', epsilon: 1e-4}), () => ({rule: 'zPlus', epsilon: 1e-4})],
  [
    lrp({rule: 'composite', epsilon: 1e-3}),
    ({operator}) => ({rule: operator === 'Dense' ? 'epsilon' : 'zPlus', epsilon: 1e-3}),
  ],
];

/** R of the layer's channels and of the tensors that pass it by, the slow way. */
function slowly(model: Model, {z, crossing, label}: Found, ruleOf: (node: GraphNode) => SlowRule) {
  const cut = cutAt(model.graph, 'studied');
  const head = foldBatchNorm(cut.head);
  const valueOf = (name: string, data: Float32Array): Values => ({
    shape: [1, ...(head.nodes.find((one) => one.name === name)!.args.shape as number[])],
    data: Float64Array.from(data),
  });
  const given = Object.fromEntries([
    ['studied', valueOf('studied', z)],
    ...cut.crossing.map((name, n) => [name, valueOf(name, crossing[n])]),
  ]) as Record<string, Values>;
  const values = slowValuesOf(head, given);
  const start = values[head.outputs[0]].data.map((value, k) => (k === label ? value : 0));
  const all = lrpSlowly(head, values, start, ruleOf);
  const channels = given['studied'].shape[3];
  const relevance = new Float64Array(channels);
  all['studied'].forEach((value, at) => (relevance[at % channels] += value));
  return {relevance, logit: start[label]};
}

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, within: number, what: string) =>
  Array.from(actual).forEach((value, c) =>
    assert.ok(
      Math.abs(value - expected[c]) <= within * Math.max(1, Math.abs(expected[c])),
      `${what}: ${value} instead of ${expected[c]}`,
    ),
  );

eachEngine('LRP agrees with sums over single contributions, by every rule', async () => {
  const models = [madeModel(gated({bias: true})), smallModel({kind: 'conv', size: 3, strides: 3})];
  for (const model of models)
    for (const [attribution, ruleOf] of RULES)
      for (const found of await keepsTensorCount(() => measured(model, smallImages(2), attribution)))
        near(found.relevance, slowly(model, found, ruleOf).relevance, 1e-3, attribution.name);
  models.forEach((model) => model.dispose());
});

eachEngine('LRP conserves the logit to 1e-4 where no bias takes a part', async () => {
  const models = {gated: madeModel(gated({bias: false})), unbiased: madeModel(unbiased)};
  for (const [rule, of] of [
    ['epsilon', 'gated'],
    ['gamma', 'gated'],
    ['zPlus', 'unbiased'],
    ['composite', 'unbiased'],
  ] as const) {
    const model = models[of];
    for (const {relevance, logits, label} of await measured(model, smallImages(4), lrp({rule, epsilon: 1e-9}))) {
      const sum = relevance.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - logits[label]) <= 1e-4 * Math.max(1, Math.abs(logits[label])), `${rule}: ${sum} of ${logits[label]}`); // prettier-ignore
    }
  }
  Object.values(models).forEach((model) => model.dispose());
});

eachEngine('LRP with a small ε is activation × gradient on networks of ReLU', async () => {
  for (const options of [
    {kind: 'conv', size: 3, residual: true},
    {kind: 'dense', bias: true},
  ] as const) {
    const model = smallModel(options);
    const plainly = await measured(model, smallImages(5), actGrad);
    const found = await measured(model, smallImages(5), lrp({epsilon: 1e-7}));
    found.forEach(({relevance}, n) => near(relevance, plainly[n].relevance, 1e-3, 'ε'));
    model.dispose();
  }
});

test('statistics say which rule they were gathered with, and do not mix', async () => {
  const model = smallModel({kind: 'conv'});
  const images = smallImages(8);
  const collected = (attribution: Attribution, shard: {index: number; count: number}) =>
    collectRelevance(model, images, {layer: 'studied', attribution, shard, ...quiet});
  const first = await collected(lrp({epsilon: 0.01}), {index: 0, count: 2});
  const second = await collected(lrp({rule: 'zPlus'}), {index: 1, count: 2});
  assert.equal(first.attribution, 'LRP (epsilon, epsilon 0.01)');
  assert.throws(() => mergeStatistics(first, second), /attribution.*LRP \((epsilon|zPlus)/);
  const compared = await compareAttributions(model, images, {
    layer: 'studied',
    attributions: [actGrad, gradCam, lrp({epsilon: 1e-7})],
    ...quiet,
  });
  assert.ok(compared.correlations[0][2] > 0.99);
  model.dispose();
});

test('what has no rule is refused by name, and so are wrong parameters', async () => {
  const layers = [
    convolution('studied', 'image', [1, 1, 3, 4]),
    node('LayerNormalization', 'norm', {
      inputs: ['studied'],
      args: {axes: [3], epsilon: 1e-5},
      weights: [seeded('gamma', [4], 'norm'), seeded('beta', [4], 'norm')],
    }),
    plain('GlobalAveragePooling2D', 'mean', 'norm'),
    dense('logits', 'mean', [4, 4]),
  ];
  const model = madeModel(graphOf([SIDE, SIDE, 3], layers));
  await assert.rejects(
    measured(model, smallImages(1), lrp()),
    (error) =>
      error instanceof InputError &&
      /no rule of LRP for LayerNormalization "norm", which comes after layer "studied"/.test(error.message),
  );
  model.dispose();
  assert.equal(attributionNamed('lrp').name, 'LRP (composite, epsilon 0.000001)');
  assert.equal(attributionNamed('lrp:epsilon=0.25').name, 'LRP (epsilon, epsilon 0.25)');
  assert.equal(attributionNamed('lrp:gamma=0.5').name, 'LRP (gamma, gamma 0.5, epsilon 0.000001)');
  assert.equal(attributionNamed('lrp:rule=zPlus').name, 'LRP (zPlus, epsilon 0.000001)');
  ATTRIBUTIONS.forEach((name) => assert.ok(describeAttributions().includes(name)));
  for (const [text, pattern] of [
    ['lrp:rule=alpha', /invalid rule of LRP: alpha; give one of epsilon, gamma, zPlus, composite/],
    ['lrp:epsilon=-1', /invalid epsilon: -1; give a number from 0/],
    ['lrp:steps=3', /lrp has no parameter steps; its parameters are rule, epsilon, gamma/],
    ['gradCam:steps=3', /gradCam has no parameter steps; it has none/],
  ] as const)
    assert.throws(
      () => attributionNamed(text),
      (error) => error instanceof InputError && pattern.test(error.message),
    );
});
