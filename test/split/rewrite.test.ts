import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {InputError} from '../../src/common/errors';
import {nodeOf, weightOf, type Graph} from '../../src/network/graph';
import {graphHash} from '../../src/network/hash';
import {describeLayer, linearLayer, linearLayers, sourcesOf, type LinearLayer} from '../../src/network/linearLayer';
import {makeModel} from '../../src/network/model';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import {kernelsFromOwnership} from '../../src/split/kernels';
import {divideChannel, dividedChannels, undivideChannel} from '../../src/split/rewrite';
import {SPLIT_RULES} from '../../src/split/rules';
import {verifySplit} from '../../src/split/verify';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {batchNorm, convolution, dense, graphOf, plain} from '../reference/madeGraphs';
import {between} from '../reference/seededWeights';
import {CLASSES, SIDE, smallImages, SMALL_PRESET, uniform} from '../reference/smallNetworks';

const quiet = {progress: false as const};

/** Convolutions with every geometry, two of them grouped, under names that a split would like to give. */
function everyKind(): Graph {
  return graphOf(
    [SIDE, SIDE, 3],
    [
      convolution('_a', 'image', [3, 3, 3, 6], {
        padding: [
          [0, 2],
          [1, 0],
        ],
        strides: [1, 2],
        bias: true,
      }),
      plain('ReLU', '_a_merge', '_a'),
      convolution('b', '_a_merge', [3, 3, 2, 6], {groups: 3, padding: 'same', bias: true}),
      batchNorm('b_parts', 'b', 6),
      plain('ReLU', 'b_activation', 'b_parts'),
      convolution('c', 'b_activation', [3, 3, 3, 8], {
        groups: 2,
        strides: [2, 2],
        dilationRate: [2, 2],
        padding: [
          [2, 2],
          [2, 2],
        ],
      }),
      plain('ReLU', 'c_merge', 'c'),
      plain('GlobalAveragePooling2D', 'mean', 'c_merge'),
      dense('d', 'mean', [8, 5]),
      plain('ReLU', 'd_merge', 'd'),
      dense('logits', 'd_merge', [5, CLASSES]),
    ],
  );
}

const LAYERS = ['_a', 'b', 'c', 'd', 'logits'];

/** Random ownership of a channel's weights, in two or three parts. */
function dividedAt(graph: Graph, layerName: string, channel: number, seed: number): Graph {
  const layer = linearLayer(graph, layerName);
  const draw = uniform(seed);
  const k = 2 + (seed % 2);
  const ownership = Array.from({length: k}, () => Float64Array.from({length: layer.shape[2]}, draw));
  return divideChannel(graph, layerName, channel, kernelsFromOwnership(columnOf(layer, channel), ownership));
}

function columnOf({shape: [kh, kw, inputs, outputs], kernel}: LinearLayer, channel: number): Float32Array {
  return Float32Array.from({length: kh * kw * inputs}, (_, at) => kernel[at * outputs + channel]);
}

function logitsOf(graph: Graph): Float32Array {
  const model = makeModel(graph, {name: 'made'});
  const values = tf.tidy(() => {
    return model.logits(tf.tensor4d(between('images', 2 * SIDE * SIDE * 3, -1, 1), [2, SIDE, SIDE, 3])).dataSync();
  });
  model.dispose();
  return values as Float32Array;
}

eachEngine(
  'channels and layers are divided in any order, the network computes the same, and no weight leaves its group',
  () => {
    const whole = logitsOf(everyKind());
    const scale = Math.max(...whole.map(Math.abs));
    const splits = fc.uniqueArray(
      fc.record({layer: fc.constantFrom(...LAYERS), channel: fc.nat(4), seed: fc.nat(99)}),
      {
        minLength: 1,
        maxLength: 6,
        selector: ({layer, channel}) => `${layer} ${channel % CLASSES}`,
      },
    );
    fc.assert(
      fc.property(splits, (chosen) => {
        const graphs = [everyKind()];
        for (const {layer, channel, seed} of chosen) {
          graphs.push(dividedAt(graphs[graphs.length - 1], layer, channel % CLASSES, seed));
        }
        const last = graphs[graphs.length - 1];
        logitsOf(last).forEach((value, i) =>
          assert.ok(Math.abs(value - whole[i]) <= 1e-5 * scale, `${value}, ${whole[i]}`),
        );
        assert.deepEqual(
          linearLayers(last).map(({name}) => name),
          LAYERS,
          'what a split adds is no layer',
        );
        const names = last.nodes.map(({name}) => name);
        assert.equal(new Set(names).size, names.length);
        for (const layer of LAYERS) {
          const channels = chosen.filter((one) => one.layer === layer).map(({channel}) => channel % CLASSES);
          assert.deepEqual(dividedChannels(last, layer), channels.sort());
        }
        staysInGroups(last);
        // And back, one by one.
        let back = last;
        for (const [at, {layer, channel, seed}] of [...chosen.entries()].reverse()) {
          const original = columnOf(linearLayer(graphs[at], layer), channel % CLASSES);
          back = undivideChannel(back, layer, channel % CLASSES, {original, added: 2 + (seed % 2)});
          assert.equal(graphHash(back), graphHash(graphs[at]));
        }
        assert.equal(back.nodes.length, everyKind().nodes.length);
      }),
      {numRuns: 25},
    );
  },
);

/** The kernel beside a grouped layer is zero outside the group of the channel that it belongs to. */
function staysInGroups(graph: Graph): void {
  for (const name of ['b', 'c']) {
    const beside = graph.nodes.find(({mark, operator, inputs}) => {
      return mark?.of === name && operator === 'Conv2D' && inputs[0] === nodeOf(graph, name).inputs[0];
    });
    if (!beside) continue;
    const merge = graph.nodes.filter(({mark}) => mark?.of === name).at(-1)!;
    const layer = describeLayer(nodeOf(graph, name)) as LinearLayer;
    const {data, shape} = weightOf(beside, 'kernel')!;
    const [, , inputs, width] = shape;
    const rows = weightOf(merge, 'kernel')!;
    const outputs = layer.shape[3];
    for (let n = 0; n < width; n++) {
      const channel = rows.data.slice((outputs + n) * outputs, (outputs + n + 1) * outputs).findIndex((v) => v !== 0);
      const [from, to] = sourcesOf(layer, channel);
      data.forEach((weight, at) => {
        const i = Math.floor(at / width) % inputs;
        assert.ok(
          at % width !== n || weight === 0 || (i >= from && i < to),
          `${name}: source ${i} of channel ${channel}`,
        );
      });
    }
  }
}

test('generated names avoid those that are there, and marks tell what was added', () => {
  const graph = dividedAt(dividedAt(everyKind(), '_a', 1, 3), 'b', 2, 4);
  const added = graph.nodes.filter(({mark}) => mark);
  assert.deepEqual(
    added.map(({name, mark}) => [name, mark!.kind, mark!.of]),
    [
      ['_a_merge_2', 'merge', '_a'],
      ['b_parts_2', 'merge', 'b'],
      ['b_joined', 'merge', 'b'],
      ['b_merge', 'merge', 'b'],
    ],
  );
  assert.deepEqual(nodeOf(graph, '_a_merge').inputs, ['_a_merge_2']);
});

const images = smallImages(16);
const everyModel = () => makeModel(everyKind(), {name: 'made', preset: SMALL_PRESET});

eachEngine('a grouped layer is analysed and divided by every rule within its groups', async () => {
  for (const layer of ['b', 'c']) {
    const model = everyModel();
    const stats = await keepsTensorCount(async () => {
      const collected = await collectRelevance(model, images, {layer, ...quiet});
      model.dispose();
      return collected;
    });
    for (const rule of Object.values(SPLIT_RULES)) {
      await keepsTensorCount(async () => {
        const split = await disentangle(model, stats, {channel: 4, concepts: [[0, 1], 2]}, {images, rule, ...quiet});
        const [from, to] = sourcesOf(linearLayer(model.graph, layer), 4);
        for (const kernel of [...split.parts, split.residue]) {
          kernel.forEach((weight, at) => {
            const i = at % split.kernelShape[2];
            assert.ok(weight === 0 || (i >= from && i < to), `${split.rule}: a weight of source ${i}`);
          });
        }
        const proof = await verifySplit(split, images, quiet);
        assert.ok(proof.exact, `${layer}, ${split.rule}: ${String(proof)}`);
        split.dispose();
        model.dispose();
      });
    }
  }
});

test('dividing a channel that is divided already fails at the call that asks for it', async () => {
  const model = everyModel();
  const stats = await collectRelevance(model, images, {layer: 'b', ...quiet});
  const first = await disentangle(model, stats, {channel: 1, concepts: [0, 1]}, {images, rule: 'published', ...quiet});
  await assert.rejects(
    disentangle(first.model, stats, {channel: 1, concepts: [2, 3]}, {images, rule: 'published', ...quiet}),
    (error) => error instanceof InputError && /channel 1 of layer b is already divided/.test(error.message),
  );
});
