import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import {saveOnnx} from '../../src/formats/onnx';
import {decodeModel, encodeModel} from '../../src/formats/onnx/proto';
import {smallModel} from '../reference/smallNetworks';
import {temporaryFolder} from '../reference/temporaryFolder';

interface Made {
  nodes: [
    opType: string,
    inputs: string[],
    output: string,
    attributes?: Record<string, number | number[]>,
    name?: string,
  ][];
  /** Shapes of weights by name, or whole numbers. */
  weights: Record<string, number[] | {integers: number[]} | object>;
  image: (number | string)[];
  outputs: string[];
}

const CONV: Made['nodes'][0] = ['Conv', ['x', 'w'], 'c', {pads: [1, 1, 1, 1]}, 'conv'];
const END: Made['nodes'] = [
  ['GlobalAveragePool', ['c'], 'p'],
  ['Flatten', ['p'], 'f'],
  ['Gemm', ['f', 'k'], 'y', {}, 'fc'],
];
const GOOD: Made = {
  nodes: [CONV, ...END],
  weights: {w: [8, 3, 3, 3], k: [8, 5]},
  image: [1, 3, 16, 16],
  outputs: ['y'],
};

/** A convolution, an average over positions and five classes, with something changed. */
const bytesOf = (change: Partial<Made>): Uint8Array => {
  const {nodes, weights, image, outputs} = {...GOOD, ...change};
  const float = (name: string, dims: number[]) => ({
    name,
    dims,
    dataType: 1,
    rawData: new Uint8Array(Float32Array.from({length: dims.reduce((a, b) => a * b, 1)}, (_, i) => Math.sin(i)).buffer),
  });
  const value = (name: string, dims: (number | string)[]) => ({
    name,
    type: {
      tensorType: {elemType: 1, shape: {dim: dims.map((d) => (typeof d === 'string' ? {dimParam: d} : {dimValue: d}))}},
    },
  });
  const message = {
    irVersion: 8,
    opsetImport: [{domain: '', version: 17}],
    graph: {
      name: 'g',
      node: nodes.map(([opType, input, output, attributes = {}, name = opType.toLowerCase()]) => ({
        name,
        opType,
        input,
        output: [output],
        attribute: Object.entries(attributes).map(([key, given]) =>
          Array.isArray(given) ? {name: key, type: 7, ints: given} : {name: key, type: 2, i: given},
        ),
      })),
      initializer: Object.entries(weights).map(([name, given]) => {
        if (Array.isArray(given)) return float(name, given as number[]);
        if ('integers' in given) {
          const {integers} = given as {integers: number[]};
          return {name, dims: [integers.length], dataType: 7, int64Data: integers};
        }
        return {name, dims: [8, 3, 3, 3], dataType: 1, ...given};
      }),
      input: [value('x', image)],
      output: outputs.map((name) => value(name, ['N', 'K'])),
    },
  };
  return encodeModel(message as never);
};

/** The convolution's weights in another file. */
const outside = (location: string, offset = '0', length = '864'): Partial<Made> => ({
  weights: {
    ...GOOD.weights,
    w: {
      dataLocation: 1,
      externalData: Object.entries({location, offset, length}).map(([key, value]) => ({key, value})),
    },
  },
});

const REFUSED: Record<string, [change: Partial<Made>, sentence: RegExp]> = {
  'unknown operators': [
    {
      nodes: [
        CONV,
        ['Einsum', ['c'], 'e', {}, 'mix'],
        ['LSTM', ['e'], 'l', {}, 'read'],
        ['Einsum', ['l'], 'c2', {}, 'again'],
        ['GlobalAveragePool', ['c2'], 'p'],
        ...END.slice(1),
      ],
    },
    /not read: Einsum \(mix, again\); LSTM \(read\)/,
  ],
  'any image size': [{image: ['N', 3, 'H', 'W']}, /leaves the image's size open; give the height and width/],
  'an image of no height': [{image: [1, 3, -1, 16]}, /has a size of -1/],
  'a huge image': [{image: [1, 3, 2 ** 40, 16]}, /has a size of 1099511627776/],
  'a circle': [
    {
      nodes: [
        ['Add', ['x', 'b'], 'a'],
        ['Relu', ['a'], 'b'],
        ['Flatten', ['b'], 'y'],
      ],
    },
    /the graph of this ONNX file has a circle/,
  ],
  'a value computed twice': [
    {nodes: [...GOOD.nodes, ['Relu', ['f'], 'y']]},
    /node Relu \(relu\) computes "y", which is there already/,
  ],
  'several outputs': [
    {
      nodes: [...GOOD.nodes, ['Gemm', ['f', 'b'], 'boxes']],
      weights: {...GOOD.weights, b: [8, 4]},
      outputs: ['y', 'boxes'],
    },
    /has 2 outputs: y, boxes; choose the one with the class scores/,
  ],
  'a segmenter': [
    {nodes: [CONV, ['Conv', ['c', 's'], 'y']], weights: {w: [8, 3, 3, 3], s: [21, 8, 1, 1]}, image: [1, 3, 56, 56]},
    /a map, not one score for each class/,
  ],
  'a segmenter with its 3136 positions in a row': [
    {
      nodes: [CONV, ['Conv', ['c', 's'], 'm'], ['Flatten', ['m'], 'y']],
      weights: {w: [8, 3, 3, 3], s: [1, 8, 1, 1]},
      image: [1, 3, 56, 56],
    },
    /a map of 56 × 56 positions with 1 score each/,
  ],
  'signals, not images': [
    {nodes: [['Conv', ['x', 'w'], 'y']], weights: {w: [8, 3, 3]}, image: [1, 3, 16]},
    /has 3 axes; images \[batch, channels, height, width\] are needed/,
  ],
  'kernels of other channels': [
    {weights: {w: [8, 4, 3, 3], k: [8, 5]}},
    /"conv" takes 4 channels, and its input is \[16, 16, 3\]/,
  ],
  'a dense layer of other inputs': [
    {weights: {w: [8, 3, 3, 3], k: [9, 5]}},
    /\(fc\): its kernel has shape \[9, 5\], and its input \[1, 8\]/,
  ],
  'steps of 0': [{nodes: [['Conv', ['x', 'w'], 'c', {strides: [0, 0]}, 'conv'], ...END]}, /"conv" has strides \[0,0\]/],
  'padding that cuts': [
    {nodes: [['Conv', ['x', 'w'], 'c', {pads: [-1, 1, 1, 1]}, 'conv'], ...END]},
    /\(conv\): negative padding is not supported/,
  ],
  'groups that do not divide': [
    {nodes: [['Conv', ['x', 'w'], 'c', {group: 3}, 'conv'], ...END]},
    /"conv" takes 9 channels, and its input is/,
  ],
  'a window larger than memory': [
    {nodes: [CONV, ['MaxPool', ['c'], 'p', {kernel_shape: [2 ** 31 - 1, 2]}, 'pool'], ...END.slice(1)]},
    /a window of 2147483647×2 that is larger than its input of 16×16/,
  ],
  'padding larger than memory': [
    {
      nodes: [['Pad', ['x', 'n'], 'z', {}, 'pad'], ['Conv', ['z', 'w'], 'c'], ...END],
      weights: {...GOOD.weights, n: {integers: [0, 0, 1e6, 1e6, 0, 0, 1e6, 1e6]}},
    },
    /Pad "pad" gives 2000016×2000016×3 values for an image; at most 2147483647/,
  ],
  'a constant larger than memory': [
    {
      nodes: [['ConstantOfShape', ['n'], 'b', {}, 'big'], ['Add', ['x', 'b'], 'z'], ['Conv', ['z', 'w'], 'c'], ...END],
      weights: {...GOOD.weights, n: {integers: [1, 3, 2 ** 20, 2 ** 20]}},
    },
    /an array of shape \[1, 3, 1048576, 1048576\] is to be made/,
  ],
  'a shape with two open sizes': [
    {
      nodes: [CONV, ['Reshape', ['c', 'n'], 'f', {}, 'flat'], END[2]],
      weights: {...GOOD.weights, n: {integers: [-1, -1]}},
    },
    /\(flat\): .* cannot be reshaped to \[-1, -1\]/,
  ],
  'one class': [{weights: {w: [8, 3, 3, 3], k: [8, 1]}}, /one output without a final sigmoid/],
  'weights in a file that is missing': [outside('absent.bin'), /lies in "absent\.bin", which is not beside it/],
  'weights above the folder': [outside('../w.bin'), /from "\.\.\/w\.bin", which is outside its folder/],
  'weights at the root': [outside('/etc/passwd'), /from "\/etc\/passwd", which is outside its folder/],
  'weights behind a link out of the folder': [outside('link.bin'), /which is outside its folder/],
  'weights in a pipe': [outside('pipe'), /which is not beside it/],
  'weights in a folder': [outside('.'), /outside its folder/],
  'weights before the file’s beginning': [outside('w.bin', '-4'), /offset "-4"; a whole number/],
  'weights beyond the file’s end': [outside('w.bin', '4'), /w\.bin|truncated|ends/],
  'weights of another length': [
    outside('w.bin', '0', '1000000000000'),
    /needs 864 bytes, and 1000000000000 are said to lie/,
  ],
};

const refused = (file: string, sentence: RegExp, what: string) =>
  assert.rejects(loadModel(file), (error: Error) => {
    assert.ok(error instanceof InputError, `${what}: ${error.stack}`);
    assert.match(error.message, sentence, what);
    return true;
  });

function neighbours(folder: string): string {
  const inner = path.join(folder, 'inner');
  mkdirSync(inner);
  for (const place of [folder, inner]) writeFileSync(path.join(place, 'w.bin'), new Uint8Array(864));
  symlinkSync(path.join(folder, 'w.bin'), path.join(inner, 'link.bin'));
  execFileSync('mkfifo', [path.join(inner, 'pipe')]);
  return path.join(inner, 'x.onnx');
}

before(() => ensureBackend());

test('ONNX files that are no classifier, or hostile, end in a sentence each', async (t: TestContext) => {
  const file = neighbours(await temporaryFolder(t));
  for (const good of [{}, outside('w.bin')]) {
    writeFileSync(file, bytesOf(good));
    assert.equal((await loadModel(file)).classes, 5);
  }
  for (const [what, [change, sentence]] of Object.entries(REFUSED)) {
    writeFileSync(file, bytesOf(change));
    await refused(file, sentence, what);
  }
});

test('weights behind a link lie where the file’s own link leads', async (t: TestContext) => {
  const folder = realpathSync(await temporaryFolder(t));
  const [kept, seen] = ['kept', 'seen'].map((name) => path.join(folder, name));
  for (const place of [kept, seen]) mkdirSync(place);
  writeFileSync(path.join(kept, 'a1'), bytesOf(outside('w.bin')));
  writeFileSync(path.join(kept, 'b2'), new Uint8Array(864));
  symlinkSync(path.join(kept, 'a1'), path.join(seen, 'x.onnx'));
  symlinkSync(path.join(kept, 'b2'), path.join(seen, 'w.bin'));
  assert.equal((await loadModel(path.join(seen, 'x.onnx'))).classes, 5);
});

test('an ONNX file that was saved here and has changed since is refused; another program’s changes to others are not looked at', async (t: TestContext) => {
  const file = path.join(await temporaryFolder(t), 'x.onnx');
  const model = smallModel({kind: 'conv'});
  await saveOnnx(model, file);
  const saved = readFileSync(file);
  assert.equal((await loadModel(file)).hash, model.hash);
  const changes: ((network: ReturnType<typeof decodeModel>) => void)[] = [
    ({graph}) => (graph.initializer[0].rawData[2] ^= 1),
    ({graph}) => (graph.initializer.at(-1)!.rawData[0] ^= 1),
    ({graph}) => (graph.node.find(({opType}) => opType === 'Relu')!.opType = 'Sigmoid'),
  ];
  for (const change of changes) {
    const network = decodeModel(Uint8Array.from(saved), file);
    change(network);
    writeFileSync(file, encodeModel(network));
    await refused(
      file,
      /is damaged: its nodes and weights are not those that unweave saved; copy it again/,
      String(change),
    );
    network.metadataProps = [];
    writeFileSync(file, encodeModel(network));
    (await loadModel(file)).dispose();
  }
  // What other programs note in a file, and weights that they move into a file beside it, change nothing.
  const moved = decodeModel(Uint8Array.from(saved), file);
  const [tensor] = moved.graph.initializer;
  writeFileSync(path.join(path.dirname(file), 'x.data'), tensor.rawData);
  Object.assign(tensor, {rawData: undefined, dataLocation: 1, externalData: [{key: 'location', value: 'x.data'}]});
  moved.metadataProps.push({key: 'author', value: 'somebody'});
  writeFileSync(file, encodeModel(moved));
  assert.equal((await loadModel(file)).hash, model.hash);
});

test('HDF5 that is cut, or no network, ends in a sentence', async (t: TestContext) => {
  const folder = await temporaryFolder(t);
  const whole = readFileSync(path.join(__dirname, 'golden/keras/keras3-nested/model.h5'));
  const file = path.join(folder, 'x.h5');
  for (const length of [9, whole.length >> 1]) {
    writeFileSync(file, whole.subarray(0, length));
    await refused(file, /damaged or truncated HDF5 file/, `${length} bytes`);
  }
  // A table of a program that is not Keras: what would describe the network has another name.
  writeFileSync(file, Buffer.from(whole.toString('latin1').replaceAll('model_config', 'measurements'), 'latin1'));
  await refused(file, /is an HDF5 file, but no Keras model/, 'another program’s');
});
