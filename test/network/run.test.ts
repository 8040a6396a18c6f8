import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {compileGraph, type Compiled} from '../../src/network/run';
import type {Graph} from '../../src/network/graph';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {values} from '../reference/operatorParts';
import {CLASSES, networks, SIDE} from '../reference/smallGraphs';
import {SLOW, sizeOf, type Values} from '../reference/slowOperators';

const BATCH = 2;
const SHAPE: [number, number, number, number] = [BATCH, SIDE, SIDE, 3];
const RUNS = 25;

/** Every node's value by plain loops in float64. `change` puts other values in place of a node's own. */
function slowly(graph: Graph, image: ArrayLike<number>, change: Map<string, Values> = new Map()): Map<string, Values> {
  const all = new Map<string, Values>();
  for (const {name, operator, args, inputs, weights} of graph.nodes) {
    const own = Object.fromEntries(weights.map((w) => [w.name, {shape: w.shape, data: Float64Array.from(w.data)}]));
    const value =
      change.get(name) ??
      (operator === 'InputLayer'
        ? {shape: [...SHAPE], data: Float64Array.from(image)}
        : SLOW[operator]!(
            inputs.map((input) => all.get(input)!),
            args,
            own,
          ));
    all.set(name, value);
  }
  return all;
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string, tolerance = 1e-4): void {
  assert.equal(actual.length, expected.length, `${what}: size`);
  const scale = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= tolerance * scale,
      `${what}[${i}]: ${actual[i]}, not ${expected[i]}`,
    );
  }
}

/** Any few of a network's nodes. */
const withNodes = networks.chain((graph) =>
  fc.record({
    graph: fc.constant(graph),
    some: fc.subarray(
      graph.nodes.map(({name}) => name),
      {minLength: 1, maxLength: 4},
    ),
  }),
);

async function compiled<T>(graph: Graph, options: Parameters<typeof compileGraph>[1], work: (network: Compiled) => T) {
  return keepsTensorCount(() => {
    const network = compileGraph(graph, options);
    try {
      return work(network);
    } finally {
      network.dispose();
    }
  });
}

eachEngine('folding and fusing leave every value as plain loops give it, whichever nodes are asked for', async () => {
  const image = values(sizeOf(SHAPE), 7);
  await fc.assert(
    fc.asyncProperty(withNodes, async ({graph, some}) => {
      const expected = slowly(graph, image);
      await compiled(graph, {outputs: graph.outputs, taps: some}, (network) => {
        const x = tf.tensor4d(image, SHAPE);
        const results = network.run(x);
        assert.deepEqual(Object.keys(results).sort(), [...new Set([...graph.outputs, ...some])].sort());
        for (const [name, value] of Object.entries(results)) {
          assert.deepEqual(value.shape, expected.get(name)!.shape);
          assertClose(value.dataSync(), expected.get(name)!.data, name);
        }
        tf.dispose([results, x]);
      });
    }),
    {numRuns: RUNS},
  );
});

/**
 * Δ of Σ v·y per unit of step along a direction at a node, by plain loops in float64, from both sides; undefined where the two sides differ:
 * equal values in a window of a maximum have no gradient that an engine could agree with.
 */
function slope(
  graph: Graph,
  image: ArrayLike<number>,
  at: string,
  direction: Float32Array,
  v: ArrayLike<number>,
): number | undefined {
  const all = slowly(graph, image);
  const step = 1e-6;
  const weighted = (sign: number) => {
    const value = all.get(at)!;
    const moved = {shape: value.shape, data: value.data.map((x, i) => x + sign * step * direction[i]!)};
    const y = slowly(graph, image, new Map([[at, moved]])).get(graph.outputs[0]!)!.data;
    return y.reduce((sum, one, i) => sum + one * v[i]!, 0);
  };
  const [below, here, above] = [weighted(-1), weighted(0), weighted(1)];
  const [left, right] = [(here - below) / step, (above - here) / step];
  return Math.abs(left - right) > 1e-4 * Math.max(Math.abs(left), Math.abs(right), 1e-3)
    ? undefined
    : (left + right) / 2;
}

eachEngine('gradients at any taps agree with differences of plain loops', async () => {
  let compared = 0;
  const image = values(sizeOf(SHAPE), 11);
  await fc.assert(
    fc.asyncProperty(withNodes, fc.nat(), async ({graph, some}, seed) => {
      const all = slowly(graph, image);
      const v = values(BATCH * CLASSES, seed);
      const upstream = new Set(graph.outputs);
      for (const {name, inputs} of [...graph.nodes].reverse()) {
        if (upstream.has(name)) inputs.forEach((input) => upstream.add(input));
      }
      const taps = some.filter((name) => upstream.has(name));
      if (taps.length === 0) return;
      const results = await compiled(graph, {taps}, (network) => {
        const [x, weighting] = [tf.tensor4d(image, SHAPE), tf.tensor2d(v, [BATCH, CLASSES])];
        const {outputs, taps: at} = network.runWithGradients(x, {weighting});
        const read = Object.entries(at).map(([name, {value, gradient}]) => {
          assert.deepEqual(gradient.shape, value.shape);
          return {name, value: value.dataSync(), gradient: gradient.dataSync() as Float32Array};
        });
        assertClose(outputs[graph.outputs[0]!]!.dataSync(), all.get(graph.outputs[0]!)!.data, 'output');
        tf.dispose([outputs, at, x, weighting] as tf.TensorContainer);
        return read;
      });
      for (const {name, value, gradient} of results) {
        assertClose(value, all.get(name)!.data, name);
        const direction = values(gradient.length, seed + 1);
        const expected = slope(graph, image, name, direction, v);
        if (expected === undefined) continue;
        compared += 1;
        const actual = gradient.reduce((sum, one, i) => sum + one * direction[i]!, 0);
        const size = Math.sqrt(gradient.reduce((sum, one) => sum + one * one, 0));
        assert.ok(
          Math.abs(actual - expected) <= 2e-3 * Math.max(size, 1e-3),
          `${name}: ${actual}, not ${expected} (the gradient's length is ${size}); ${graph.nodes.map((n) => n.operator).join(' ')}`,
        );
      }
    }),
    {numRuns: RUNS},
  );
  assert.ok(compared >= RUNS / 2, `${compared} gradients were compared`);
});

eachEngine('labels weigh the logit of each image, and a part of the taps may be asked for', async () => {
  await fc.assert(
    fc.asyncProperty(networks, async (graph) => {
      const taps = [graph.nodes[1]!.name, graph.nodes.at(-2)!.name];
      await compiled(graph, {taps}, (network) => {
        const x = tf.tensor4d(values(sizeOf(SHAPE), 3), SHAPE);
        const weighting = tf.tensor2d([0, 0, 1, 0, 1, 0, 0, 0], [BATCH, CLASSES]);
        const both = network.runWithGradients(x, {weighting});
        const one = network.runWithGradients(x, {labels: Int32Array.of(2, 0), taps: [taps[1]!]});
        assert.deepEqual(Object.keys(one.taps), [taps[1]]);
        assertClose(
          one.taps[taps[1]!]!.gradient.dataSync(),
          both.taps[taps[1]!]!.gradient.dataSync(),
          'gradient',
          1e-6,
        );
        tf.dispose([both, one, x, weighting] as unknown as tf.TensorContainer);
      });
    }),
    {numRuns: 5},
  );
});

eachEngine('values can be differentiated by the image', async () => {
  await fc.assert(
    fc.asyncProperty(networks, async (graph) => {
      const output = graph.outputs[0]!;
      await compiled(graph, {taps: ['image']}, (network) => {
        const x = tf.tensor4d(values(sizeOf(SHAPE), 3), SHAPE);
        const ours = network.runWithGradients(x, {labels: [1, 1]});
        const theirs = tf.grad((image) => tf.sum(tf.slice(network.run(image)[output]!, [0, 1], [BATCH, 1])))(x);
        assertClose(theirs.dataSync(), ours.taps['image']!.gradient.dataSync(), 'gradient', 1e-5);
        tf.dispose([ours, theirs, x] as unknown as tf.TensorContainer);
      });
    }),
    {numRuns: 5},
  );
});

eachEngine('what does not fit is refused in a sentence', async () => {
  const [graph] = fc.sample(networks, {numRuns: 1, seed: 1});
  assert.throws(() => compileGraph(graph!, {outputs: ['nowhere']}), new InputError('no node "nowhere" in the network'));
  await compiled(graph!, {taps: ['image']}, (network) => {
    assert.throws(() => network.run({}), /the network's inputs are image; image is missing/);
    const x = tf.zeros(SHAPE);
    assert.throws(() => network.runWithGradients(x, {labels: [0]}), /1 labels for 2 images/);
    assert.throws(() => network.runWithGradients(x, {labels: [0, 9]}), /invalid label: 9; classes are 0 to 3/);
    assert.throws(() => network.runWithGradients(x, {labels: [0, 1], taps: ['other']}), /"other" is no tap/);
    x.dispose();
  });
});
