import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {
  channel,
  describeObjective,
  diversity,
  logit,
  logProbability,
  minus,
  neuron,
  ofSplit,
  plus,
  times,
  weightVector,
  type Objective,
} from '../../src/features';
import {objectiveOn} from '../../src/features/objectiveOn';
import {makeModel} from '../../src/network/model';
import {compileGraph} from '../../src/network/run';
import type {Model} from '../../src/network/types';
import {InputError} from '../../src/common/errors';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {dot, finiteDifference, slowDiversity} from '../reference/features';
import {SIDE, smallModel, STUDIED_LAYERS, uniform} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';

const IMAGES = Float32Array.from({length: 3 * SIDE * SIDE * 3}, uniform(9, -1, 1));
const images = () => tf.tensor4d(IMAGES, [3, SIDE, SIDE, 3]);

function valuesOf(model: Model, objective: Objective): number[] {
  const network = objectiveOn(model, objective);
  try {
    return tf.tidy(() => [...network.value(images()).dataSync()]);
  } finally {
    network.dispose();
  }
}

/** Z of the studied layer, [image][position][channel], as the relevance pass computes it. */
function studied(model: Model): number[][][] {
  const network = networkAtLayer(model, 'studied');
  try {
    return tf.tidy(() => {
      const z = network.linear(network.trunk(images()).input);
      return tf.reshape(z, [z.shape[0], -1, z.shape[3]]).arraySync() as number[][][];
    });
  } finally {
    network.dispose();
  }
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function closest(actual: number[], expected: number[], tolerance = 1e-4): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) =>
    assert.ok(
      Math.abs(value - expected[i]!) <= tolerance * Math.max(1, Math.abs(expected[i]!)),
      `[${i}]: ${value}, not ${expected[i]}`,
    ),
  );
}

for (const [name, options] of Object.entries(STUDIED_LAYERS)) {
  eachEngine(`channels, neurons, weight vectors and logits of ${name} are what the network computes`, async () => {
    const model = smallModel(options);
    await keepsTensorCount(() => {
      const z = studied(model);
      const perImage = (of: (map: number[]) => number) => z.map((positions) => of(positions.map((row) => row[2]!)));
      closest(valuesOf(model, channel('studied', 2)), perImage(mean));
      closest(
        valuesOf(model, channel('studied', 2, {where: 'sum'})),
        perImage((map) => mean(map) * map.length),
      );
      const side = Math.sqrt(z[0]!.length);
      const centre = Math.floor(side / 2) * (side + 1);
      closest(
        valuesOf(model, neuron('studied', 2)),
        perImage((map) => map[centre]!),
      );
      closest(
        valuesOf(model, neuron('studied', 2, [0, side - 1])),
        perImage((map) => map[side - 1]!),
      );
      closest(valuesOf(model, diversity('studied')), Array<number>(3).fill(slowDiversity(z)));

      const layer = networkAtLayer(model, 'studied');
      const {kernel, shape, bias} = layer.layer;
      layer.dispose();
      const column = kernel.filter((_, i) => i % shape[3] === 2);
      closest(valuesOf(model, weightVector('studied', column, {bias: bias?.[2]})), perImage(mean));

      const logits = tf.tidy(() => model.logits(images()).arraySync());
      closest(
        valuesOf(model, logit(1)),
        logits.map((row) => row[1]!),
      );
      const logOfSum = (row: number[]) => Math.log(row.reduce((sum, y) => sum + Math.exp(y), 0));
      closest(
        valuesOf(model, logProbability(3)),
        logits.map((row) => row[3]! - logOfSum(row)),
      );
      model.dispose();
    });
  });
}

eachEngine('a layer that is no convolution gives its output, batch norms too', async () => {
  const model = smallModel({kind: 'conv', size: 3});
  await keepsTensorCount(() => {
    const network = compileGraph(model.graph, {outputs: ['studied_bn', 'first_relu']});
    const expected = tf.tidy(() => {
      const {studied_bn: norm, first_relu: relu} = network.run(images());
      return [norm as tf.Tensor4D, relu as tf.Tensor4D].map(
        (y) => tf.mean(tf.slice(y, [0, 0, 0, 1], [-1, -1, -1, 1]), [1, 2, 3]).arraySync() as number[],
      );
    });
    network.dispose();
    closest(valuesOf(model, channel('studied_bn', 1)), expected[0]!);
    closest(valuesOf(model, channel('first_relu', 1)), expected[1]!);
    closest(
      valuesOf(model, plus(channel('studied_bn', 1), channel('studied', 0))),
      studied(model).map((z, i) => expected[0]![i]! + mean(z.map((row) => row[0]!))),
    );
    model.dispose();
  });
});

eachEngine('objectives add, subtract and multiply, each image by itself', async () => {
  const model = smallModel({kind: 'conv', size: 3});
  await keepsTensorCount(() => {
    const [a, b, c] = [logit(0), channel('studied', 1), channel('first', 3)].map(
      (one) => [one, valuesOf(model, one)] as const,
    );
    const each = (f: (a: number, b: number, c: number) => number) =>
      a![1].map((_, i) => f(a![1][i]!, b![1][i]!, c![1][i]!));
    closest(
      valuesOf(model, plus(a![0], b![0], 3)),
      each((x, y) => x + y + 3),
    );
    closest(
      valuesOf(model, minus(a![0], b![0])),
      each((x, y) => x - y),
    );
    closest(
      valuesOf(model, times(2, minus(a![0], times(b![0], c![0])))),
      each((x, y, z) => 2 * (x - y * z)),
    );
    closest(valuesOf(model, plus(1, 2)), [3, 3, 3]);
    model.dispose();
  });
});

eachEngine('the parts of a split less its residue add up to the original', async () => {
  const split = smallSplit({kind: 'conv', size: 3, bias: true}, {concepts: [[0], [1], [2]]});
  await keepsTensorCount(() => {
    const [original, residue] = [ofSplit(split, 'original'), ofSplit(split, 'residue')];
    const parts = split.concepts.map((_, j) => ofSplit(split, j));
    closest(valuesOf(split.before, original), valuesOf(split.before, channel('studied', 2)));
    closest(valuesOf(split.before, minus(plus(...parts), times(2, residue))), valuesOf(split.before, original));
    split.before.dispose();
  });
});

eachEngine('the gradient of a composed objective agrees with finite differences', async () => {
  const model = smallModel({kind: 'conv', size: 3, residual: true});
  const objective = plus(
    logit(0),
    times(2, neuron('studied', 1)),
    times(-3, diversity('studied')),
    logProbability(2),
    channel('first_relu', 0),
  );
  await keepsTensorCount(() => {
    const network = objectiveOn(model, objective);
    tf.tidy(() => {
      const total = (x: tf.Tensor) => tf.sum(network.value(x as tf.Tensor4D));
      const gradient = tf.grad(total)(images()).dataSync();
      const direction = Float32Array.from({length: IMAGES.length}, uniform(10, -1, 1));
      const along = dot(gradient, direction);
      const f = (x: Float32Array) => tf.tidy(() => total(tf.tensor4d(x, [3, SIDE, SIDE, 3])).dataSync()[0]!);
      const difference = finiteDifference(f, IMAGES, direction, 2e-3);
      assert.ok(Math.abs(along - difference) < 0.05 * Math.max(1, Math.abs(difference)), `${along}, ${difference}`);
    });
    network.dispose();
    model.dispose();
  });
});

test('an objective says in words what it is', () => {
  const cases: [Objective, string][] = [
    [logit(3), 'logit of class 3'],
    [logProbability('fish'), 'log probability of fish'],
    [channel('conv5', 2), 'channel 2 of conv5'],
    [channel('conv5', 2, {where: 'sum'}), 'channel 2 of conv5, summed'],
    [neuron('conv5', 2), 'channel 2 of conv5 at the centre'],
    [neuron('conv5', 2, [1, 4]), 'channel 2 of conv5 at [1, 4]'],
    [weightVector('conv5', [1]), 'a weight vector of conv5'],
    [plus(logit(0), times(0.5, diversity('conv5'))), 'logit of class 0 + 0.5 × diversity at conv5'],
    [minus(logit(0), logit(1)), 'logit of class 0 − logit of class 1'],
    [times(-2, plus(logit(0), 1)), '−2 × (logit of class 0 + 1)'],
    [minus(logit(0), plus(logit(1), logit(2))), 'logit of class 0 − (logit of class 1 + logit of class 2)'],
  ];
  for (const [objective, text] of cases) assert.equal(describeObjective(objective), text);
  const split = smallSplit({kind: 'conv'});
  assert.equal(describeObjective(ofSplit(split, 1)), 'part 2 of channel 2 of studied (class 1)');
  assert.equal(describeObjective(ofSplit(split, 'residue')), 'residue of channel 2 of studied');
  assert.throws(() => ofSplit(split, 2), /no part 2; the split of channel 2 of studied has parts 0 to 1/);
  assert.deepEqual(
    JSON.parse(JSON.stringify(minus(logit(0), channel('a', 1)))),
    minus(logit(0), channel('a', 1)),
    'plain data',
  );
});

eachEngine('an objective that the network cannot have is refused with what there is', async () => {
  const plain = smallModel({kind: 'conv', size: 3});
  const named = makeModel(plain.graph, {name: 'small', classNames: ['a', 'b', 'c', 'd']});
  const cases: [Model, Objective, RegExp][] = [
    [plain, channel('conv9', 0), /no layer "conv9"; layers with weights: first, studied, logits;/],
    [plain, channel('image', 0), /no layer "image"/],
    [plain, channel('studied', 6), /invalid channel: 6; layer studied has channels 0 to 5/],
    [plain, channel('studied', -1), /invalid channel: -1/],
    [plain, channel('studied_bn', 1.5), /invalid channel: 1.5; layer studied_bn has channels 0 to 5/],
    [plain, neuron('studied', 0, [9, 0]), /invalid row: 9; the output of studied has rows 0 to 8/],
    [plain, neuron('studied', 0, [0, 99]), /invalid column: 99/],
    [plain, diversity('nowhere'), /no layer "nowhere"/],
    [plain, weightVector('conv9', [1]), /no layer "conv9"; layers that take a weight vector: first, studied, logits/],
    [
      plain,
      weightVector('studied_bn', [1]),
      /layer "studied_bn" takes no weight vector: .* layers that do: first, studied, logits/,
    ],
    [plain, weightVector('studied', [1, 2]), /has 2 weights; layer studied takes kernels of 3 × 3 × 6 = 54/],
    [plain, weightVector('studied', new Float32Array(54).fill(NaN)), /has a weight that is not finite/],
    [plain, logit(4), /invalid class: 4; classes are 0 to 3/],
    [plain, logit('fish'), /no class "fish"; there are no class names; give an index from 0 to 3/],
    [named, logit('fish'), /no class "fish"; classes are a, b, c, d/],
    [plain, times(NaN, logit(0)), /invalid factor: NaN/],
    [plain, plus(), /a sum or product of no objectives/],
    [plain, {kind: 'chanel'} as never, /unknown objective "chanel"; objectives are made by channel, /],
  ];
  await keepsTensorCount(() => {
    for (const [model, objective, message] of cases) {
      assert.throws(
        () => valuesOf(model, objective),
        (error) => error instanceof InputError && message.test(error.message),
        String(message),
      );
    }
    closest(valuesOf(named, logit('b')), valuesOf(plain, logit(1)));
    plain.dispose();
    named.dispose();
  });
});
