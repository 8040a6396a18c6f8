import assert from 'node:assert/strict';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../../src/engine';
import {readKeras} from '../../src/formats/keras/readKeras';
import {readKerasH5} from '../../src/formats/keras/readH5';
import {readLayersModel} from '../../src/formats/layersModel/read';
import {graphValues} from '../reference/graphValues';

/** Small networks of Keras 2 and 3 with every layer that is read, and their outputs by Keras itself: scripts/networks/keras_golden.py. */
const golden = path.join(__dirname, 'golden/keras');
const READERS = {'model.json': readLayersModel, 'model.h5': readKerasH5, 'model.keras': readKeras};

interface Expected {
  shape: [number, number, number, number];
  input: number[];
  outputs: Record<string, number[]>;
}

for (const network of readdirSync(golden)) {
  for (const [file, read] of Object.entries(READERS)) {
    const source = path.join(golden, network, file);
    if (!existsSync(source)) continue;
    test(`${network}/${file} gives Keras' own outputs`, async () => {
      await ensureBackend();
      const expected = JSON.parse(readFileSync(path.join(golden, network, 'expected.json'), 'utf8')) as Expected;
      const names = Object.keys(expected.outputs);
      for (const output of names) {
        const {graph, notes} = await read(source, names.length > 1 ? {output} : {});
        const values = tf.tidy(() => graphValues(graph, tf.tensor(expected.input, expected.shape))[0].dataSync());
        const wanted = expected.outputs[output];
        const largest = Math.max(...wanted.map(Math.abs));
        assert.equal(values.length, wanted.length);
        wanted.forEach((value, at) =>
          assert.ok(Math.abs(value - values[at]) <= 1e-5 * largest, `${output}[${at}] is ${values[at]}, not ${value}`),
        );
        // A Normalization at the start says for which pixels it seems to be made.
        const unsaid = notes?.filter((note) => !note.startsWith('the network begins with its own'));
        assert.deepEqual(unsaid, []);
      }
    });
  }
}
