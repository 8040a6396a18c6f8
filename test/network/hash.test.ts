import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {bypass, type Graph, type GraphNode} from '../../src/network/graph';
import {graphHash} from '../../src/network/hash';
import {fullKernel} from '../../src/network/linearLayer';
import {node, OPERATORS} from '../../src/network/operators';
import {batchNorm, convolution, dense, graphOf, plain, seeded} from '../reference/madeGraphs';
import {CASES, graphWith, SHAPE, WEIGHTS} from '../reference/operatorOptions';

test('every option of every operator changes the hash by itself, and so does every weight', () => {
  const {InputLayer, ...rest} = CASES;
  assert.ok(InputLayer);
  assert.deepEqual(Object.keys(CASES).sort(), [...OPERATORS.keys()].sort(), 'a case for each operator');
  const seen = new Map<string, string>();
  const differs = (hash: string, what: string) => {
    assert.ok(!seen.has(hash), `${what} has the hash of ${seen.get(hash)}`);
    seen.set(hash, what);
  };
  for (const operator of Object.keys(rest)) {
    const {other = {}} = CASES[operator];
    const known = OPERATORS.get(operator)?.args ?? [];
    assert.deepEqual(Object.keys(other).sort(), [...known].sort(), `${operator}: each argument has another value`);
    const own = graphHash(graphWith(operator));
    differs(own, operator);
    for (const [argument, value] of Object.entries(other)) {
      // A value of padding that is not constant is none.
      differs(graphHash(graphWith(operator, {[argument]: value})), `${operator} with ${argument}`);
    }
    for (const name of Object.keys(WEIGHTS[operator] ?? {})) {
      const graph = graphWith(operator);
      const last = graph.nodes[graph.nodes.length - 1];
      const weights = last.weights.map((one) => {
        if (one.name !== name) return one;
        return {...one, data: one.data.map((value, i) => (i === 1 ? value + 1e-3 : value))};
      });
      const changed = {...graph, nodes: [...graph.nodes.slice(0, -1), {...last, weights}]};
      differs(graphHash(changed), `${operator} with another ${name}`);
    }
  }
  differs(graphHash({...graphWith('Add'), nodes: graphWith('Add').nodes.map(bigger)}), 'another input size');
});

const bigger = (one: GraphNode): GraphNode =>
  one.operator === 'InputLayer' ? {...one, args: {shape: [9, 8, 4]}} : one;

/** A network with branches: two of them alike, a shortcut, a concatenation. */
function branched(): Graph {
  return graphOf(SHAPE, [
    convolution('a', 'image', [3, 3, 4, 4], {padding: 'same'}),
    batchNorm('a_bn', 'a', 4),
    plain('ReLU', 'a_relu', 'a_bn'),
    convolution('b', 'a_relu', [3, 3, 4, 4], {padding: 'same', bias: true}),
    convolution('c', 'a_relu', [1, 1, 4, 4]),
    plain('Add', 'sum', ['b', 'c', 'image']),
    convolution('d', 'sum', [3, 3, 4, 3], {
      strides: [2, 2],
      padding: [
        [0, 1],
        [0, 1],
      ],
    }),
    plain('MaxPooling2D', 'pool', 'sum', {poolSize: [2, 2], strides: [2, 2]}),
    plain('Concatenate', 'both', ['d', 'pool'], {axis: 3}),
    plain('GlobalAveragePooling2D', 'mean', 'both'),
    dense('logits', 'mean', [7, 5]),
  ]);
}

/** The graph with its nodes in another topological order, drawn, under other names and with marks. */
function shuffled({nodes, inputs, outputs}: Graph, draws: readonly number[]): Graph {
  const left = [...nodes];
  const placed: GraphNode[] = [];
  for (let n = 0; left.length > 0; n++) {
    const ready = left.filter((one) => one.inputs.every((input) => placed.some(({name}) => name === input)));
    const [next] = left.splice(left.indexOf(ready[draws[n % draws.length] % ready.length]), 1);
    placed.push(next);
  }
  const renamed = (name: string) => `_${name}_${draws[0]}`;
  return {
    nodes: placed.map((one) => ({
      ...one,
      name: renamed(one.name),
      inputs: one.inputs.map(renamed),
      args: Object.fromEntries(Object.entries(one.args).reverse()),
      weights: [...one.weights].reverse(),
      mark: {kind: 'generated', of: 'anything'},
    })),
    inputs: inputs.map(renamed),
    outputs: outputs.map(renamed),
  };
}

test('neither the order of nodes nor names, marks or the order of arguments and weights change the hash', () => {
  const hash = graphHash(branched());
  fc.assert(
    fc.property(fc.array(fc.nat(), {minLength: 12, maxLength: 12}), (draws) => {
      assert.equal(graphHash(shuffled(branched(), draws)), hash);
    }),
    {numRuns: 50},
  );
});

test('another wiring of the same nodes has another hash', () => {
  const graph = branched();
  const rewired = graph.nodes.map((one) => (one.name === 'c' ? {...one, inputs: ['image']} : one));
  assert.notEqual(graphHash({...graph, nodes: rewired}), graphHash(graph));
  assert.notEqual(graphHash(bypass(graph, 'a_relu', 'a_bn')), graphHash(graph));
  const first = graphOf(SHAPE, [plain('ReLU', 'relu', 'image'), plain('Subtract', 'less', ['image', 'relu'])]);
  const second = graphOf(SHAPE, [plain('ReLU', 'relu', 'image'), plain('Subtract', 'less', ['relu', 'image'])]);
  assert.notEqual(graphHash(first), graphHash(second), 'a − b is not b − a');
});

const conv = (padding: unknown, input = 'image', strides = [2, 2]) =>
  convolution('conv', input, [3, 3, 4, 6], {padding, strides});
const zeros = (rows: number[], columns: number[], name = 'pad', input = 'image') =>
  plain('Pad', name, input, {paddings: [rows, columns, [0, 0]]});

test('the same function has one hash, however it is written', () => {
  const same = (what: string, ...graphs: GraphNode[][]) => {
    const hashes = graphs.map((nodes) => graphHash(graphOf(SHAPE, nodes)));
    hashes.forEach((hash) => assert.equal(hash, hashes[0], what));
  };
  same(
    'same padding, its amounts, zeros before the convolution, and zeros that no window reaches',
    [conv('same')],
    [
      conv([
        [0, 1],
        [0, 1],
      ]),
    ],
    [zeros([0, 1], [0, 1]), conv('valid', 'pad')],
    [
      zeros([0, 1], [0, 0]),
      conv(
        [
          [0, 0],
          [0, 2],
        ],
        'pad',
      ),
    ],
  );
  const transposed = (padding: unknown, outputPadding: number[]) => [
    {
      ...convolution('conv', 'image', [3, 3, 2, 4]),
      operator: 'Conv2DTranspose',
      args: {strides: [2, 2], padding, dilationRate: [1, 1], outputPadding},
    },
  ];
  same(
    'rows that a transposed convolution adds at the end and cuts off there again',
    transposed('same', [0, 0]),
    transposed(
      [
        [0, 1],
        [0, 1],
      ],
      [0, 0],
    ),
    transposed(
      [
        [0, 2],
        [0, 2],
      ],
      [1, 1],
    ),
  );
  const relu = plain('ReLU', 'relu', 'image');
  const pool = (padding: unknown, input: string) =>
    plain('MaxPooling2D', 'pool', input, {poolSize: [3, 3], strides: [2, 2], padding});
  same(
    'zeros before a maximum of values that are not negative',
    [
      relu,
      pool(
        [
          [1, 1],
          [1, 1],
        ],
        'relu',
      ),
    ],
    [relu, zeros([1, 1], [1, 1], 'pad', 'relu'), pool('valid', 'pad')],
  );
  assert.notEqual(
    graphHash(
      graphOf(SHAPE, [
        pool(
          [
            [1, 1],
            [1, 1],
          ],
          'image',
        ),
      ]),
    ),
    graphHash(graphOf(SHAPE, [zeros([1, 1], [1, 1]), pool('valid', 'pad')])),
    'of negative values zeros are the maximum',
  );
  const mean = (padding: unknown, input: string, countPadding: boolean) =>
    plain('AveragePooling2D', 'pool', input, {poolSize: [2, 2], strides: [2, 2], padding, countPadding});
  same('a mean that meets no padding', [mean('same', 'image', false)], [mean('valid', 'image', true)]);
  same(
    'zeros that a mean counts',
    [
      mean(
        [
          [1, 1],
          [1, 1],
        ],
        'image',
        true,
      ),
    ],
    [zeros([1, 1], [1, 1]), mean('valid', 'pad', true)],
  );
  same(
    'the mean over positions, kept as axes of one, then flattened',
    [plain('GlobalAveragePooling2D', 'mean', 'image'), dense('logits', 'mean', [4, 3])],
    [
      plain('Mean', 'mean', 'image', {axes: [2, 1], keepdims: true}),
      plain('Reshape', 'flat', 'mean', {shape: [-1]}),
      dense('logits', 'flat', [4, 3]),
    ],
  );
  same(
    'one reshape, or two',
    [plain('Reshape', 'flat', 'image', {shape: [-1]})],
    [plain('Reshape', 'half', 'image', {shape: [64, 4]}), plain('Reshape', 'flat', 'half', {shape: [256]})],
  );
  same(
    'a relu bounded by 6',
    [plain('ReLU', 'relu', 'image', {maxValue: 6})],
    [plain('Clip', 'clip', 'image', {min: 0, max: 6})],
  );
  same(
    'nothing, and things that do nothing',
    [relu],
    [relu, zeros([0, 0], [0, 0], 'pad', 'relu'), plain('Permute', 'turn', 'pad', {order: [1, 2, 3]})],
  );
  same(
    'a reshape there and back',
    [relu],
    [
      plain('Reshape', 'flat', 'image', {shape: [-1]}),
      plain('Reshape', 'back', 'flat', {shape: [8, 8, 4]}),
      plain('ReLU', 'relu', 'back'),
    ],
  );
  const norm = batchNorm('bn', 'image', 4);
  const bare = {...norm, weights: norm.weights.filter(({name}) => name.startsWith('moving'))};
  const neutral = norm.weights.map((one) => {
    if (one.name === 'gamma') return {...one, data: one.data.map(() => 1)};
    return one.name === 'beta' ? {...one, data: one.data.map(() => 0)} : one;
  });
  same('a batch norm without scale and centre', [bare], [{...norm, weights: neutral}]);
});

test('a grouped convolution, its block-diagonal kernel, and a depthwise one in their other forms have one hash', () => {
  const grouped = convolution('conv', 'image', [3, 3, 2, 6], {groups: 2, bias: true});
  const [kernel, bias] = grouped.weights;
  const blocks = {...kernel, shape: [3, 3, 4, 6], data: fullKernel(kernel.data, [3, 3, 4, 6], 2)};
  const whole = node('Conv2D', 'conv', {inputs: ['image'], weights: [blocks, bias]});
  assert.equal(graphHash(graphOf(SHAPE, [grouped])), graphHash(graphOf(SHAPE, [whole])));
  const depthwise = node('DepthwiseConv2D', 'conv', {inputs: ['image'], weights: [seeded('kernel', [3, 3, 4, 2])]});
  const each = node('Conv2D', 'conv', {
    inputs: ['image'],
    args: {groups: 4},
    weights: [{...seeded('kernel', [3, 3, 4, 2]), shape: [3, 3, 1, 8]}],
  });
  assert.equal(graphHash(graphOf(SHAPE, [depthwise])), graphHash(graphOf(SHAPE, [each])));
});

test('a weight of −0 is one of 0, as which text formats write it', () => {
  const withBias = (zero: number) => {
    const conv = convolution('a', 'image', [1, 1, 4, 4], {bias: true});
    const weights = conv.weights.map((one) => (one.name === 'bias' ? {...one, data: one.data.map(() => zero)} : one));
    return graphHash(graphOf(SHAPE, [{...conv, weights}]));
  };
  assert.equal(withBias(-0), withBias(0));
  assert.notEqual(withBias(-0), withBias(1e-30));
});
