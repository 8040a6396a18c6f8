/**
 * Milliseconds an image of the one pass beside a bare forward pass of the same model, alternating in one run, so that the ratio
 * holds on a noisy machine:
 *   node --import tsx test/bench/onePass.ts [--rounds 7]
 */
import path from 'node:path';
import {parseArgs} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {backend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import type {Model} from '../../src/network/types';
import {actGrad} from '../../src/pass/attribution/actGrad';
import {layerBatch} from '../../src/pass/layerBatch';
import {measureRelevance} from '../../src/relevance/collector';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {uniform} from '../reference/smallNetworks';
import {randomResNet50} from './randomResNet50';

const BATCH = 16;
const {values} = parseArgs({options: {rounds: {type: 'string', default: '7'}}});

const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function compare(model: Model, layer: string): Promise<void> {
  const [height, width, channels] = model.inputShape;
  const draw = uniform(2, -1, 1);
  const pixels = Float32Array.from({length: BATCH * height * width * channels}, draw);
  const shape: [number, number, number, number] = [BATCH, height, width, channels];
  const indices = Array.from({length: BATCH}, (_, index) => index);
  const paths = indices.map((index) => `image${index}`);
  const labels = Int32Array.from(indices, (index) => index % model.classes);
  const about = {indices, paths, labels, halves: new Uint8Array(BATCH)};
  const network = networkAtLayer(model, layer);
  const forward = async () => {
    const logits = tf.tidy(() => model.logits(tf.tensor4d(pixels, shape)));
    await logits.data();
    logits.dispose();
  };
  const onePass = async () => {
    const measured = tf.tidy(() => measureRelevance(layerBatch(network, tf.tensor4d(pixels, shape), about, actGrad)));
    await Promise.all(Object.values(measured).map((tensor) => tensor.data()));
    tf.dispose(measured);
  };
  const timed = async (work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / BATCH;
  };
  await forward();
  await onePass();
  const rows: {forward: number; onePass: number}[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    rows.push({forward: await timed(forward), onePass: await timed(onePass)});
  }
  const ratio = median(rows.map((row) => row.onePass / row.forward));
  process.stdout.write(
    `${model.name}, ${layer}, ${height}×${width}, batch ${BATCH}: forward ${median(rows.map((row) => row.forward)).toFixed(1)} ms/image, ` +
      `one pass ${median(rows.map((row) => row.onePass)).toFixed(1)} ms/image, ratio ${ratio.toFixed(3)} (median of the rounds' own ratios, not the ratio of these medians; goal ≤ 1.15)\n`,
  );
  network.dispose();
  model.dispose();
}

async function main(): Promise<void> {
  process.stdout.write(`${await backend()}\n`);
  const shared = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
  const mobileNet = await loadModel(path.join(shared, 'models/mobilenet_v1_0.75_224')).catch(() => undefined);
  if (mobileNet) await compare(mobileNet, 'conv_pw_13');
  else process.stdout.write('../shared/data is absent: MobileNet is not timed\n');
  await compare(randomResNet50(), 'layer4.2.conv3');
}

void main();
