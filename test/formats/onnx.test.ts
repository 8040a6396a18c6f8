import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {readOnnx} from '../../src/formats/onnx';
import type {TensorMessage} from '../../src/formats/onnx/proto';
import {fromFloat16} from '../../src/formats/onnx/tensors';
import type {Graph} from '../../src/network/graph';
import {changedGolden, computed, golden, goldenError, goldenFile, goldenModel} from '../reference/onnxGolden';

const operators = (graph: Graph) => graph.nodes.map(({operator}) => operator);
const layers = (graph: Graph) => graph.nodes.filter(({operator}) => /Conv|Dense/.test(operator)).map(({name}) => name);

describe('ONNX', () => {
  let place: string;
  before(async () => {
    await ensureBackend();
    place = await mkdtemp(path.join(tmpdir(), 'unweave-onnx-'));
  });
  after(() => rm(place, {recursive: true}));

  const changed = (name: string, change: (network: ReturnType<typeof goldenModel>) => void) =>
    changedGolden(place, name, change);
  const refused = async (name: string, change: (network: ReturnType<typeof goldenModel>) => void, message: RegExp) => {
    const target = await changed(name, change);
    await assert.rejects(readOnnx(target), (error) => error instanceof InputError && message.test(error.message));
  };

  for (const name of Object.keys(golden.logits).map((key) => key.replace(/\.onnx$/, ''))) {
    test(`${name} computes what onnxruntime computes`, async () => {
      assert.ok(goldenError((await readOnnx(goldenFile(name))).graph, name) < 1e-5);
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
        names.map(async (name) => layers((await readOnnx(goldenFile(name))).graph)),
      );
      for (const other of others) assert.deepEqual(other, first);
    }
    assert.deepEqual(layers((await readOnnx(goldenFile('convnext.dynamo20'))).graph), [
      'stem.0',
      'depthwise',
      'pwconv1',
      'pwconv2',
      'head',
    ]);
    assert.deepEqual(layers((await readOnnx(goldenFile('keras.tf2onnx15'))).graph), ['conv1', 'depthwise', 'dense']);
  });

  test('a batch norm that the exporter folded is told, and one that it kept apart stays a node', async () => {
    for (const name of ['residual.ts17', 'residual.dynamo20']) {
      const {graph, notes} = await readOnnx(goldenFile(name));
      assert.match(notes.join(), /folded batch norm into 2 convolutions.*TrainingMode\.PRESERVE/);
      assert.ok(!operators(graph).includes('BatchNormalization'));
    }
    const {graph, notes} = await readOnnx(goldenFile('residual.apart17'));
    assert.deepEqual(notes, []);
    assert.equal(operators(graph).filter((operator) => operator === 'BatchNormalization').length, 2);
  });

  test('what exporters spell out is put together again', async () => {
    for (const name of ['convnext.ts13', 'convnext.ts17', 'convnext.dynamo20']) {
      const {graph} = await readOnnx(goldenFile(name));
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
    const names = (await readOnnx(goldenFile('squeeze.ts13'))).graph.nodes.map(({args}) => args['activation']);
    assert.deepEqual(names.filter(Boolean), ['hard_swish', 'swish']);
    assert.ok(operators((await readOnnx(goldenFile('rarer.ts17'))).graph).includes('GroupNormalization'));
  });

  test('channels last needs no transposing of pixels: not for a flattening, not for pairs of Transpose', async () => {
    for (const name of ['flattened.ts11', 'flattened.dynamo20', 'keras.tf2onnx15', 'convnext.ts17']) {
      assert.ok(!operators((await readOnnx(goldenFile(name))).graph).includes('Permute'), name);
    }
    const shuffle = operators((await readOnnx(goldenFile('shuffle.ts17'))).graph);
    assert.equal(shuffle.filter((operator) => operator === 'Permute').length, 1);
  });

  test('a network exported for one image runs for several', async () => {
    const target = await changed('shuffle.dynamo20', ({graph}) => {
      for (const {type} of [...graph.input, ...graph.output]) {
        const batch = type?.tensorType?.shape?.dim[0];
        if (batch) Object.assign(batch, {dimValue: 1, dimParam: undefined});
      }
    });
    assert.ok(goldenError((await readOnnx(target)).graph, 'shuffle.dynamo20') < 1e-5);
  });

  test('weights may lie in another file of the folder', async () => {
    const data = path.join(place, 'weights.data');
    const move = (location: string) => (network: ReturnType<typeof goldenModel>) => {
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
    assert.ok(goldenError((await readOnnx(target)).graph, 'residual.dynamo20') < 1e-5);
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
    assert.ok(goldenError((await readOnnx(double)).graph, 'branches.dynamo18') < 1e-5);
    const half = await changed('branches.dynamo18', ({graph}) => {
      for (const tensor of graph.initializer.filter(({name}) => name === 'final.bias')) {
        Object.assign(tensor, {
          dataType: 10,
          rawData: new Uint8Array(Uint16Array.from(floatsOf(tensor), halves).buffer),
        });
      }
    });
    assert.ok(goldenError((await readOnnx(half)).graph, 'branches.dynamo18') < 1e-3);
    assert.deepEqual([0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00].map(fromFloat16), [1, -2, 2 ** -24, 65504, -Infinity]);
  });

  test('reading and computing leave no tensors behind', async () => {
    const {numTensors} = tf.memory();
    computed((await readOnnx(goldenFile('convnext.ts17'))).graph);
    assert.equal(tf.memory().numTensors, numTensors);
  });

  test('a file that is written again is the same network', async () => {
    const target = await changed('rarer.dynamo20', () => undefined);
    assert.deepEqual(
      (await readOnnx(target)).graph.nodes.map(({name, weights}) => [name, weights.map(({data}) => [...data])]),
      (await readOnnx(goldenFile('rarer.dynamo20'))).graph.nodes.map(({name, weights}) => [
        name,
        weights.map(({data}) => [...data]),
      ]),
    );
  });
});
