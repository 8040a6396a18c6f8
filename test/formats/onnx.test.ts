import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {readOnnx} from '../../src/formats/onnx';
import {decodeModel, encodeModel, type TensorMessage} from '../../src/formats/onnx/proto';
import {fromFloat16} from '../../src/formats/onnx/tensors';
import type {Graph} from '../../src/network/graph';
import {compileGraph} from '../../src/network/run';

const folder = path.join(__dirname, 'golden/onnx');
const golden = JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8')) as {
  shape: [number, number, number, number];
  image: string;
  logits: Record<string, number[][]>;
};
const images = new Float32Array(Uint8Array.from(Buffer.from(golden.image, 'base64')).buffer);

/** What the graph computes for the golden images. */
function computed(graph: Graph): number[][] {
  return tf.tidy(() => {
    const network = compileGraph(graph);
    const [output] = Object.values(network.run(tf.tensor4d(images, golden.shape)));
    network.dispose();
    return tf.reshape(output, [golden.shape[0], -1]).arraySync() as number[][];
  });
}

/** Largest difference, relative to the largest logit. */
function difference(found: number[][], expected: number[][]): number {
  assert.equal(found.flat().length, expected.flat().length);
  const largest = Math.max(...expected.flat().map(Math.abs));
  return Math.max(...found.flat().map((value, at) => Math.abs(value - expected.flat()[at]))) / largest;
}

const file = (name: string) => path.join(folder, `${name}.onnx`);
const model = (name: string) => decodeModel(readFileSync(file(name)), name);
const operators = (graph: Graph) => graph.nodes.map(({operator}) => operator);
const layers = (graph: Graph) => graph.nodes.filter(({operator}) => /Conv|Dense/.test(operator)).map(({name}) => name);

describe('ONNX', () => {
  let place: string;
  before(async () => {
    await ensureBackend();
    place = await mkdtemp(path.join(tmpdir(), 'unweave-onnx-'));
  });
  after(() => rm(place, {recursive: true}));

  /** A golden network, changed. */
  async function changed(name: string, change: (network: ReturnType<typeof model>) => void): Promise<string> {
    const network = model(name);
    change(network);
    const target = path.join(place, `${name}.onnx`);
    await writeFile(target, encodeModel(network));
    return target;
  }
  const refused = async (name: string, change: (network: ReturnType<typeof model>) => void, message: RegExp) => {
    const target = await changed(name, change);
    await assert.rejects(readOnnx(target), (error) => error instanceof InputError && message.test(error.message));
  };

  for (const [name, expected] of Object.entries(golden.logits)) {
    test(`${name} computes what onnxruntime computes`, async () => {
      const {graph} = await readOnnx(path.join(folder, name));
      assert.ok(difference(computed(graph), expected) < 1e-5);
    });
  }

  test('layers have the names of their modules, whichever exporter wrote the file', async () => {
    for (const names of [
      ['residual.ts11', 'residual.ts17', 'residual.dynamo20', 'residual.apart17'],
      ['convnext.ts13', 'convnext.ts17', 'convnext.dynamo20'],
      ['squeeze.ts13', 'squeeze.ts17', 'squeeze.dynamo20'],
      ['attention.ts17', 'attention.dynamo20'],
    ]) {
      const [first, ...others] = await Promise.all(
        names.map(async (name) => layers((await readOnnx(file(name))).graph)),
      );
      for (const other of others) assert.deepEqual(other, first);
    }
    assert.deepEqual(layers((await readOnnx(file('convnext.dynamo20'))).graph), [
      'stem.0',
      'depthwise',
      'pwconv1',
      'pwconv2',
      'head',
    ]);
    assert.deepEqual(layers((await readOnnx(file('keras.tf2onnx15'))).graph), ['conv1', 'depthwise', 'dense']);
  });

  test('a batch norm that the exporter folded is told, and one that it kept apart stays a node', async () => {
    for (const name of ['residual.ts17', 'residual.dynamo20']) {
      const {graph, notes} = await readOnnx(file(name));
      assert.match(notes.join(), /folded batch norm into 2 convolutions.*TrainingMode\.PRESERVE/);
      assert.ok(!operators(graph).includes('BatchNormalization'));
    }
    const {graph, notes} = await readOnnx(file('residual.apart17'));
    assert.deepEqual(notes, []);
    assert.equal(operators(graph).filter((operator) => operator === 'BatchNormalization').length, 2);
  });

  test('what exporters spell out is put together again', async () => {
    for (const name of ['convnext.ts13', 'convnext.ts17', 'convnext.dynamo20']) {
      const {graph} = await readOnnx(file(name));
      assert.deepEqual(
        graph.nodes.flatMap(({operator, args}) => (operator === 'Activation' ? [args['activation']] : [])),
        ['gelu'],
      );
      assert.deepEqual(
        operators(graph).filter((operator) => !['Conv2D', 'Dense', 'DepthwiseConv2D', 'InputLayer'].includes(operator)),
        [
          'LayerNormalization',
          'LayerNormalization',
          'Activation',
          'Rescaling',
          'Add',
          'GlobalAveragePooling2D',
          'Reshape',
        ],
      );
    }
    const names = (await readOnnx(file('squeeze.ts13'))).graph.nodes.map(({args}) => args['activation']);
    assert.deepEqual(names.filter(Boolean), ['hard_swish', 'swish']);
    assert.ok(operators((await readOnnx(file('rarer.ts17'))).graph).includes('GroupNormalization'));
  });

  test('channels last needs no transposing of pixels: not for a flattening, not for pairs of Transpose', async () => {
    for (const name of ['flattened.ts11', 'flattened.dynamo20', 'keras.tf2onnx15', 'convnext.ts17']) {
      assert.ok(!operators((await readOnnx(file(name))).graph).includes('Permute'), name);
    }
    const shuffle = operators((await readOnnx(file('shuffle.ts17'))).graph);
    assert.equal(shuffle.filter((operator) => operator === 'Permute').length, 1);
  });

  test('a network exported for one image runs for several', async () => {
    const target = await changed('shuffle.dynamo20', ({graph}) => {
      for (const {type} of [...graph.input, ...graph.output]) {
        const batch = type?.tensorType?.shape?.dim[0];
        if (batch) Object.assign(batch, {dimValue: 1, dimParam: undefined});
      }
    });
    assert.ok(difference(computed((await readOnnx(target)).graph), golden.logits['shuffle.dynamo20.onnx']) < 1e-5);
  });

  test('weights may lie in another file of the folder', async () => {
    const data = path.join(place, 'weights.data');
    const move = (location: string) => (network: ReturnType<typeof model>) => {
      const pieces: Uint8Array[] = [];
      let offset = 0;
      for (const tensor of network.graph.initializer) {
        if (tensor.rawData.length === 0) continue;
        const entries = {location, offset: `${offset}`, length: `${tensor.rawData.length}`};
        pieces.push(tensor.rawData);
        offset += tensor.rawData.length;
        Object.assign(tensor, {rawData: new Uint8Array(0), dataLocation: 1});
        tensor.externalData = Object.entries(entries).map(([key, value]) => ({key, value}));
      }
      if (location === 'weights.data') bytes = Buffer.concat(pieces);
    };
    let bytes = Buffer.alloc(0);
    const target = await changed('residual.dynamo20', move('weights.data'));
    await assert.rejects(readOnnx(target), /lie in "weights\.data", which is not beside it; copy it there/);
    await writeFile(data, bytes.subarray(0, bytes.length - 8));
    await assert.rejects(readOnnx(target), /weights\.data is truncated/);
    await writeFile(data, bytes);
    assert.ok(difference(computed((await readOnnx(target)).graph), golden.logits['residual.dynamo20.onnx']) < 1e-5);
    for (const outside of ['../weights.data', '/etc/hostname', '']) {
      await refused('residual.dynamo20', move(outside), /outside its folder; such a file is refused/);
    }
  });

  test('half and double precision weights are read', async () => {
    const halves = (value: number) => {
      // Exact for the value that is nearest among the halves.
      let best = 0;
      for (let bits = 0; bits < 0x10000; bits++) {
        if (Math.abs(fromFloat16(bits) - value) < Math.abs(fromFloat16(best) - value)) best = bits;
      }
      return best;
    };
    const floatsOf = ({rawData}: TensorMessage) => new Float32Array(Uint8Array.from(rawData).buffer);
    const double = await changed('branches.dynamo18', ({graph}) => {
      for (const tensor of graph.initializer.filter(({dataType}) => dataType === 1)) {
        Object.assign(tensor, {dataType: 11, rawData: new Uint8Array(Float64Array.from(floatsOf(tensor)).buffer)});
      }
    });
    const expected = golden.logits['branches.dynamo18.onnx'];
    assert.ok(difference(computed((await readOnnx(double)).graph), expected) < 1e-5);
    const half = await changed('branches.dynamo18', ({graph}) => {
      for (const tensor of graph.initializer.filter(({name}) => name === 'final.bias')) {
        Object.assign(tensor, {
          dataType: 10,
          rawData: new Uint8Array(Uint16Array.from(floatsOf(tensor), halves).buffer),
        });
      }
    });
    assert.ok(difference(computed((await readOnnx(half)).graph), expected) < 1e-3);
    assert.deepEqual([0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00].map(fromFloat16), [1, -2, 2 ** -24, 65504, -Infinity]);
  });

  test('one of several outputs is chosen by name', async () => {
    const two = await changed('residual.ts17', ({graph}) => {
      const relu = graph.node.find(({opType}) => opType === 'GlobalAveragePool');
      graph.output.push({name: relu?.output[0] ?? '', type: null});
    });
    await assert.rejects(
      readOnnx(two),
      /has 2 outputs: logits, \/GlobalAveragePool_output_0; choose the one with the class scores/,
    );
    await assert.rejects(readOnnx(two, {output: 'boxes'}), /has no output "boxes"; its outputs: logits, /);
    const {graph} = await readOnnx(two, {output: 'logits'});
    assert.ok(difference(computed(graph), golden.logits['residual.ts17.onnx']) < 1e-5);
  });

  test('an open image size has to be given, a fixed one must not be another', async () => {
    const open = await changed('residual.ts17', ({graph}) => {
      for (const dim of graph.input[0].type?.tensorType?.shape?.dim.slice(2) ?? [])
        Object.assign(dim, {dimValue: undefined, dimParam: 'side'});
    });
    await assert.rejects(readOnnx(open), /leaves the image's size open; give the height and width/);
    const {graph} = await readOnnx(open, {inputSize: 12});
    assert.deepEqual(graph.nodes[0].args['shape'], [12, 12, 3]);
    assert.ok(difference(computed(graph), golden.logits['residual.ts17.onnx']) < 1e-5);
    await assert.rejects(
      readOnnx(file('residual.ts17'), {inputSize: [16, 12]}),
      /size 16×12 was given, but .* fixes it at 12×12/,
    );
  });

  test('all unknown operators are listed at once, with the names of their nodes', async () => {
    await refused(
      'residual.ts17',
      ({graph}) => {
        graph.node.filter(({opType}) => opType === 'Relu').forEach((node) => (node.opType = 'LSTM'));
        const pool = graph.node.find(({opType}) => opType === 'MaxPool');
        if (pool) Object.assign(pool, {opType: 'Magic', domain: 'com.example'});
      },
      /operators that are not read: LSTM \(\/Relu, \/layer1\/layer1\.2\/Relu, \/Relu_1\); com\.example\.Magic \(\/maxpool\/MaxPool\)/,
    );
  });

  test('damaged files end in one sentence', async () => {
    const bytes = readFileSync(file('residual.ts17'));
    const write = async (content: Uint8Array) => {
      const target = path.join(place, 'damaged.onnx');
      await writeFile(target, content);
      return target;
    };
    const sentence = (pattern: RegExp) => (error: unknown) =>
      error instanceof InputError && pattern.test(error.message);
    for (const content of [
      bytes.subarray(0, 1000),
      bytes.subarray(0, 10),
      Buffer.from('<html>not found</html>'),
      Buffer.alloc(0),
    ]) {
      await assert.rejects(readOnnx(await write(content)), sentence(/is not an ONNX (file|model)/));
    }
    await assert.rejects(readOnnx(path.join(place, 'absent.onnx')), sentence(/no ONNX file/));
    await refused('residual.ts17', ({graph}) => (graph.node[0].input[0] = 'logits'), /has a circle|depends on itself/);
    await refused(
      'residual.ts17',
      ({graph}) => (graph.node[1].input[0] = 'nothing'),
      /reads "nothing", which nothing computes/,
    );
    await refused('residual.ts17', ({graph}) => (graph.initializer[0].dims = [-1, 4]), /shape \[-1, 4\]/);
    await refused(
      'residual.ts17',
      ({graph}) => (graph.initializer[0].dims = [2 ** 40, 4]),
      /each size must be a whole number/,
    );
    await refused(
      'residual.ts17',
      ({graph}) => (graph.initializer[0].dims = [100, 4]),
      /needs 400 values, and the file holds \d+/,
    );
    await refused('residual.ts17', ({graph}) => (graph.initializer[0].dataType = 8), /ONNX data type 8/);
    await refused(
      'residual.ts17',
      ({graph}) => graph.input.push({name: 'second', type: null}),
      /has 2 inputs \(image, second\)/,
    );
    await refused(
      'residual.ts17',
      (network) => (network.opsetImport[0].version = 6),
      /operator set 6; 7 and later are read/,
    );
    await refused(
      'residual.ts17',
      ({graph}) => (graph.output[0].name = '/Relu_1_output_0'),
      /a map, not one score for each class/,
    );
    await refused(
      'residual.ts17',
      ({graph}) => Object.assign(graph.input[0].type?.tensorType?.shape?.dim[2] ?? {}, {dimValue: -5}),
      /has a size of -5/,
    );
  });

  test('reading and computing leave no tensors behind', async () => {
    const {numTensors} = tf.memory();
    computed((await readOnnx(file('convnext.ts17'))).graph);
    assert.equal(tf.memory().numTensors, numTensors);
  });

  test('a file that is written again is the same network', async () => {
    const target = await changed('rarer.dynamo20', () => undefined);
    assert.deepEqual(
      (await readOnnx(target)).graph.nodes.map(({name, weights}) => [name, weights.map(({data}) => [...data])]),
      (await readOnnx(file('rarer.dynamo20'))).graph.nodes.map(({name, weights}) => [
        name,
        weights.map(({data}) => [...data]),
      ]),
    );
  });
});
