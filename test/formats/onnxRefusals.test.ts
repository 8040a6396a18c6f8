import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {readOnnx} from '../../src/formats/onnx';
import {changedGolden, goldenError, goldenFile, goldenModel} from '../reference/onnxGolden';

describe('ONNX files that say too little, or the wrong thing', () => {
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
    assert.ok(goldenError(graph, 'residual.ts17') < 1e-5);
  });

  test('an open image size has to be given, a fixed one must not be another', async () => {
    const open = await changed('residual.ts17', ({graph}) => {
      for (const dim of graph.input[0].type?.tensorType?.shape?.dim.slice(2) ?? [])
        Object.assign(dim, {dimValue: undefined, dimParam: 'side'});
    });
    await assert.rejects(readOnnx(open), /leaves the image's size open; give the height and width/);
    const {graph} = await readOnnx(open, {inputSize: 12});
    assert.deepEqual(graph.nodes[0].args['shape'], [12, 12, 3]);
    assert.ok(goldenError(graph, 'residual.ts17') < 1e-5);
    await assert.rejects(
      readOnnx(goldenFile('residual.ts17'), {inputSize: [16, 12]}),
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
    const bytes = readFileSync(goldenFile('residual.ts17'));
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
});
