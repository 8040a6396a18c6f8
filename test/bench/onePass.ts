/**
 * Milliseconds an image of the one pass beside a bare forward pass of the same model, alternating in one run, by processor time and on the
 * clock, so that the ratio holds on a noisy machine:
 *   node --import tsx test/bench/onePass.ts [--rounds 7 --networks resnet20,mobilenet,resnet50 --batch 16]
 * `--batch auto` takes the size that a pass would choose.
 */
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {backend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import type {Model} from '../../src/network/types';
import {actGrad} from '../../src/pass/attribution/actGrad';
import {fastestBatch} from '../../src/pass/fastestBatch';
import {layerBatch} from '../../src/pass/layerBatch';
import {measureRelevance} from '../../src/relevance/collector';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {uniform} from '../reference/smallNetworks';
import {costOf, median, type Cost} from './processorTime';
import {randomResNet50} from './randomResNet50';

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '7'},
    networks: {type: 'string', default: 'resnet20,mobilenet,resnet50'},
    batch: {type: 'string', default: '16'},
  },
});

async function compare(model: Model, layer: string, goal: number): Promise<void> {
  const batch = values.batch === 'auto' ? await fastestBatch(model) : Number(values.batch);
  const [height, width, channels] = model.inputShape;
  const draw = uniform(2, -1, 1);
  const pixels = Float32Array.from({length: batch * height * width * channels}, draw);
  const shape: [number, number, number, number] = [batch, height, width, channels];
  const indices = Array.from({length: batch}, (_, index) => index);
  const paths = indices.map((index) => `image${index}`);
  const labels = Int32Array.from(indices, (index) => index % model.classes);
  const about = {indices, paths, labels, halves: new Uint8Array(batch)};
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
  await forward();
  await onePass();
  const rows: {forward: Cost; onePass: Cost}[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    rows.push({forward: await costOf(forward), onePass: await costOf(onePass)});
  }
  const least = (what: 'forward' | 'onePass') => Math.min(...rows.map((row) => row[what].processor)) / batch;
  const ratio = (of: keyof Cost) => median(rows.map((row) => row.onePass[of] / row.forward[of])).toFixed(3);
  process.stdout.write(
    `${model.name}, ${layer}, ${height}×${width}, batch ${batch}: least processor time of a round, forward ${least('forward').toFixed(2)} ms/image, one pass ${least('onePass').toFixed(2)}, ratio ${(least('onePass') / least('forward')).toFixed(3)}; ` +
      `median of the rounds' own ratios by processor time ${ratio('processor')}, on the clock ${ratio('wall')} (goal ≤ ${goal}); load ${os.loadavg()[0].toFixed(0)}\n`,
  );
  network.dispose();
  model.dispose();
}

async function main(): Promise<void> {
  process.stdout.write(`${await backend()}\n`);
  const shared = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
  const mobileNet = await loadModel(path.join(shared, 'models/mobilenet_v1_0.75_224')).catch(() => undefined);
  const resNet20 = await loadModel(path.join(shared, 'models/resnet20-12fca82f.th')).catch(() => undefined);
  if (!mobileNet || !resNet20)
    process.stdout.write('../shared/data is absent: MobileNet and ResNet-20 are not timed\n');
  const wanted = (name: string) => values.networks.split(',').includes(name);
  if (resNet20 && wanted('resnet20')) await compare(resNet20, 'layer3.2.conv2', 1.1);
  if (mobileNet && wanted('mobilenet')) await compare(mobileNet, 'conv_pw_13', 1.02);
  if (wanted('resnet50')) await compare(randomResNet50(), 'layer4.2.conv3', 1.02);
}

void main();
