import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../src/common/errors';
import type {GraphNode} from '../../src/network/graph';
import {foldBatchNorm} from '../../src/network/fold';
import {logitsGraph, logitsOf} from '../../src/network/logits';
import {makeModel} from '../../src/network/model';
import {compileGraph} from '../../src/network/run';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {batchNorm, convolution, dense, graphOf, plain} from '../reference/madeGraphs';
import {between} from '../reference/seededWeights';

const SHAPE = [6, 5, 3];
const images = () => tf.tensor4d(between('images', 2 * 6 * 5 * 3, -1, 1), [2, 6, 5, 3]);

/** A small classifier up to its last dense layer with so many outputs, then what squashes them. */
const classifier = (classes: number, ...tail: GraphNode[]) =>
  graphOf(SHAPE, [
    convolution('conv', 'image', [3, 3, 3, 4], {padding: 'same', bias: true}),
    plain('ReLU', 'relu', 'conv'),
    plain('GlobalAveragePooling2D', 'mean', 'relu'),
    dense('dense', 'mean', [4, classes]),
    ...tail,
  ]);

const TAILS: Record<string, GraphNode[]> = {
  nothing: [],
  softmax: [plain('Softmax', 'end', 'dense', {axis: 1})],
  'log-softmax': [plain('LogSoftmax', 'end', 'dense', {axis: 1})],
  sigmoid: [plain('Activation', 'end', 'dense', {activation: 'sigmoid'})],
  'hard sigmoid': [plain('HardSigmoid', 'end', 'dense', {slope: 0.2})],
  'softmax before a reshape, after one': [
    plain('Reshape', 'wide', 'dense', {shape: [1, 3]}),
    plain('Softmax', 'squash', 'wide', {axis: 2}),
    plain('Reshape', 'end', 'squash', {shape: [3]}),
  ],
  'sigmoid before a reshape': [
    plain('Activation', 'squash', 'dense', {activation: 'sigmoid'}),
    plain('Reshape', 'end', 'squash', {shape: [3, 1, 1]}),
  ],
};

eachEngine('logits are what precedes any final squashing, and so are gradients and shares', async () => {
  const bare = makeModel(classifier(3), {name: 'bare'});
  for (const [what, tail] of Object.entries(TAILS)) {
    await keepsTensorCount(() => {
      const model = makeModel(classifier(3, ...tail), {name: what});
      assert.equal(model.classes, 3);
      assert.equal(model.graph.nodes.length, 5 + tail.length, 'the graph itself stays whole');
      const [network, expected] = [networkAtLayer(model, 'conv'), networkAtLayer(bare, 'conv')];
      tf.tidy(() => {
        assert.deepEqual([...model.logits(images()).dataSync()], [...bare.logits(images()).dataSync()], what);
        const gradients = [network, expected].map((one) => {
          const {input, crossing} = one.trunk(images());
          return [...one.headGradient(one.linear(input), crossing, Int32Array.of(0, 2)).gradient.dataSync()];
        });
        assert.deepEqual(gradients[0], gradients[1], what);
      });
      [model, bare, network, expected].forEach((one) => one.dispose());
    });
  }
});

eachEngine(
  'one sigmoid output is two classes with logits (0, z); the network that is saved stays as it is',
  async () => {
    const sigmoid = plain('Activation', 'end', 'dense', {activation: 'sigmoid'});
    const flat = plain('Reshape', 'flat', 'end', {shape: [1, 1]});
    for (const tail of [[sigmoid], [sigmoid, flat]]) {
      await keepsTensorCount(() => {
        const graph = classifier(1, ...tail);
        const model = makeModel(graph, {name: 'binary'});
        assert.equal(model.classes, 2);
        assert.equal(model.graph, graph);
        assert.deepEqual(
          model.layers().map(({name, kernel}) => [name, kernel[3]]),
          [
            ['conv', 4],
            ['dense', 1],
          ],
        );
        const network = compileGraph(graph);
        const cut = networkAtLayer(model, 'conv');
        tf.tidy(() => {
          const probability = Object.values(network.run(images()))[0].dataSync();
          const softmax = tf.softmax(model.logits(images())).arraySync();
          softmax.forEach((row, b) => assert.ok(Math.abs(row[1] - probability[b]) < 1e-6));
          assert.deepEqual(
            model
              .logits(images())
              .arraySync()
              .map(([zero]) => zero),
            [0, 0],
          );
          // Nothing speaks for the class whose logit is fixed.
          const {input, crossing} = cut.trunk(images());
          const {gradient} = cut.headGradient(cut.linear(input), crossing, Int32Array.of(0, 1));
          const [first, second] = tf.split(tf.abs(gradient), 2).map((half) => tf.sum(half).dataSync()[0]);
          assert.ok(first === 0 && second > 0, `${first}, ${second}`);
        });
        [model, network, cut].forEach((one) => one.dispose());
      });
    }
  },
);

test('one output without a sigmoid is refused in a sentence', () => {
  const refused = (pattern: RegExp, ...tail: GraphNode[]) =>
    assert.throws(
      () => makeModel(classifier(1, ...tail), {name: 'single'}),
      (error) => error instanceof InputError && (assert.match(error.message, pattern), true),
    );
  refused(/model "single" has one output without a final sigmoid; .*at least 2 classes, or with one sigmoid output/);
  refused(/one output behind a softmax, which is always 1/, plain('Softmax', 'end', 'dense', {axis: 1}));
});

test('a sigmoid that does not end the network stays', () => {
  const gate = [
    plain('Activation', 'gate', 'dense', {activation: 'sigmoid'}),
    plain('Multiply', 'end', ['dense', 'gate']),
  ];
  const {graph, classes} = logitsOf(classifier(3, ...gate));
  assert.equal(classes, 3);
  assert.ok(graph.nodes.some(({name}) => name === 'gate'));
  assert.deepEqual(logitsGraph(graph), graph);
});

eachEngine(
  'batch norm folds over channels alone; over another axis it stays, and the logits are the same',
  async () => {
    for (const [axis, size] of [
      [1, 6],
      [2, 5],
      [3, 4],
    ]) {
      await keepsTensorCount(() => {
        const graph = graphOf(SHAPE, [
          convolution('conv', 'image', [3, 3, 3, 4], {padding: 'same', bias: true}),
          batchNorm('bn', 'conv', size, axis),
          plain('ReLU', 'relu', 'bn'),
          plain('Reshape', 'flat', 'relu', {shape: [-1]}),
          dense('dense', 'flat', [120, 3]),
        ]);
        const folded = foldBatchNorm(graph);
        assert.equal(folded.nodes.length, axis === 3 ? 5 : 6);
        const [one, two] = [compileGraph(graph), compileGraph(folded)];
        tf.tidy(() => {
          const [a, b] = [one, two].map((network) => Object.values(network.run(images()))[0]);
          const difference = tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
          assert.ok(difference <= 1e-5 * tf.max(tf.abs(a)).dataSync()[0], `axis ${axis}: ${difference}`);
        });
        one.dispose();
        two.dispose();
      });
    }
  },
);

test('batch norm folds into dense layers and depthwise and grouped convolutions, and not where something else reads them', () => {
  const nodesAfter = (...nodes: GraphNode[]) => foldBatchNorm(graphOf(SHAPE, nodes)).nodes.map(({name}) => name);
  const relu = plain('ReLU', 'relu', 'bn');
  const flat = plain('Reshape', 'flat', 'image', {shape: [-1]});
  assert.deepEqual(nodesAfter(flat, dense('d', 'flat', [90, 4]), batchNorm('bn', 'd', 4, 1), relu), [
    'image',
    'flat',
    'd',
    'relu',
  ]);
  const grouped = convolution('c', 'image', [1, 1, 1, 6], {groups: 3});
  assert.deepEqual(nodesAfter(grouped, batchNorm('bn', 'c', 6), relu), ['image', 'c', 'relu']);
  const twice = plain('Add', 'sum', ['c', 'bn']);
  assert.deepEqual(nodesAfter(grouped, batchNorm('bn', 'c', 6), twice), ['image', 'c', 'bn', 'sum']);
});

eachEngine('a batch norm without scale, centre or both behind the layer of interest has its gradient', async () => {
  for (const left of [['gamma'], ['beta'], ['gamma', 'beta']]) {
    await keepsTensorCount(() => {
      const norm = batchNorm('bn', 'conv', 4);
      const bare = {...norm, weights: norm.weights.filter(({name}) => !left.includes(name))};
      const neutral = norm.weights.map((one) => {
        return left.includes(one.name) ? {...one, data: one.data.map(() => Number(one.name === 'gamma'))} : one;
      });
      const gradients = [bare, {...norm, weights: neutral}].map((one) => {
        const graph = graphOf(SHAPE, [
          convolution('conv', 'image', [3, 3, 3, 4], {padding: 'same'}),
          one,
          plain('ReLU', 'relu', 'bn'),
          plain('GlobalAveragePooling2D', 'mean', 'relu'),
          dense('dense', 'mean', [4, 3]),
        ]);
        const network = networkAtLayer(makeModel(graph, {name: 'bare'}), 'conv');
        const values = tf.tidy(() => {
          const {input, crossing} = network.trunk(images());
          return network.headGradient(network.linear(input), crossing, Int32Array.of(1, 2)).gradient.dataSync();
        });
        network.dispose();
        return [...values];
      });
      assert.ok(gradients[0].some((value) => value !== 0));
      gradients[0].forEach((value, at) => assert.ok(Math.abs(value - gradients[1][at]) < 1e-7, left.join()));
    });
  }
});

test('a map with its positions in a row is no score for each class', () => {
  const segmenter = graphOf(
    [8, 8, 3],
    [
      convolution('scores', 'image', [1, 1, 3, 2], {bias: true}),
      plain('Softmax', 'probabilities', 'scores', {axis: 3}),
      plain('Reshape', 'flat', 'probabilities', {shape: [128]}),
    ],
  );
  assert.throws(
    () => makeModel(segmenter, {name: 'segmenter'}),
    (error) =>
      error instanceof InputError &&
      (assert.match(error.message, /a map of 8 × 8 positions with 2 scores each \(scores\), .*a classifier is needed/),
      true),
  );
});
