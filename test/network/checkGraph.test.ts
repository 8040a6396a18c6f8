import assert from 'node:assert/strict';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import type {Graph, GraphNode} from '../../src/network/graph';
import {checkGraph, node, operatorOf, shapesOf, weight} from '../../src/network/operators';

const image = node('InputLayer', 'image', {args: {shape: [5, 5, 2]}});
const kernel = weight('kernel', new Float32Array(2 * 3), [1, 1, 2, 3]);
const conv = node('Conv2D', 'conv', {inputs: ['image'], weights: [kernel]});
const graph = (...nodes: GraphNode[]): Graph => ({
  nodes: [image, ...nodes],
  inputs: ['image'],
  outputs: [nodes.at(-1)!.name],
});

test('a node is made with its arguments complete', () => {
  assert.deepEqual(conv.args, {strides: [1, 1], padding: 'valid', dilationRate: [1, 1], groups: 1});
  assert.deepEqual(operatorOf('Conv2D').args, ['strides', 'padding', 'dilationRate', 'groups']);
});

const refusals: [what: string, make: () => unknown, message: RegExp][] = [
  [
    'an unknown argument',
    () => node('ReLU', 'a', {inputs: ['x'], args: {slope: 1}}),
    /^ReLU "a" has an argument "slope", which is not known; its arguments are maxValue, negativeSlope, threshold$/,
  ],
  [
    'a missing argument',
    () => node('BatchNormalization', 'a', {inputs: ['x'], args: {axis: 3}}),
    /^BatchNormalization "a" lacks its argument "epsilon": a number$/,
  ],
  [
    'an argument of another kind',
    () => node('Conv2D', 'a', {inputs: ['x'], args: {strides: 2}, weights: [kernel]}),
    /^Conv2D "a" has strides 2; it must be two whole numbers from 1, \[height, width\]$/,
  ],
  ['an unknown operator', () => node('Conv9D', 'a'), /^no operator "Conv9D"; operators: InputLayer, /],
  ['a missing weight', () => node('Conv2D', 'a', {inputs: ['x']}), /^Conv2D "a" lacks its weight "kernel"$/],
  [
    'an unknown weight',
    () => node('ReLU', 'a', {inputs: ['x'], weights: [kernel]}),
    /^ReLU "a" has a weight "kernel", which is not known; it has none$/,
  ],
  [
    'weights of another size',
    () => node('Dense', 'a', {inputs: ['x'], weights: [weight('kernel', new Float32Array(5), [2, 3])]}),
    /^Dense "a" has 5 numbers as its kernel of shape \[2, 3\]$/,
  ],
  ['too few inputs', () => node('Add', 'a', {inputs: ['x']}), /^Add "a" has 1 inputs; it takes at least 2$/],
  [
    'unknown operators, all at once',
    () =>
      checkGraph(
        graph({...conv, operator: 'Foo'}, {...conv, name: 'b', operator: 'Bar'}, {...conv, name: 'c', operator: 'Foo'}),
      ),
    /not known: Foo \(conv, c\); Bar \(b\); known are/,
  ],
  ['names that are the same', () => checkGraph(graph(conv, conv)), /^two nodes are named "conv"; names must differ$/],
  [
    'inputs that are missing',
    () => checkGraph(graph({...conv, inputs: ['elsewhere']})),
    /^Conv2D "conv" reads "elsewhere", and there is no such node$/,
  ],
  [
    'circles',
    () => checkGraph(graph({...conv, inputs: ['b']}, {...conv, name: 'b', inputs: ['conv']})),
    /^Conv2D "conv" reads "b", which comes after it or is part of a circle/,
  ],
  [
    'outputs that are missing',
    () => checkGraph({...graph(conv), outputs: ['elsewhere']}),
    /^the network's output "elsewhere" is not among its nodes$/,
  ],
  [
    'inputs that are not declared',
    () => checkGraph({...graph(conv), inputs: []}),
    /^input "image" is not among the network's inputs/,
  ],
  [
    'a size that is not given',
    () => shapesOf({...graph(conv), nodes: [{...image, args: {shape: [null, null, 2]}}, conv]}),
    /^InputLayer "image" takes \[\?, \?, 2\]; give the size of the images$/,
  ],
  [
    'other channels',
    () => shapesOf({...graph(conv), nodes: [{...image, args: {shape: [5, 5, 3]}}, conv]}),
    /^Conv2D "conv" takes 2 channels, and its input is \[5, 5, 3\]$/,
  ],
];

for (const [what, make, message] of refusals) {
  test(`${what}: refused in a sentence`, () => {
    assert.throws(
      make,
      (error: Error) => (error instanceof InputError && message.test(error.message)) || assert.fail(error.message),
    );
  });
}

test('shapes come from operators alone, also for another size of the images', () => {
  const strided = node('Conv2D', 'conv', {inputs: ['image'], args: {strides: [2, 2]}, weights: [kernel]});
  checkGraph(graph(strided));
  assert.deepEqual(
    shapesOf(graph(strided)),
    new Map([
      ['image', [5, 5, 2]],
      ['conv', [3, 3, 3]],
    ]),
  );
  assert.deepEqual(shapesOf(graph(strided), {image: [8, 9, 2]}).get('conv'), [4, 5, 3]);
});
