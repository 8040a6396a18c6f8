import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../engine';
import {longCall} from '../engine/longCall';
import {imageBatches} from '../images';
import type {LabelledImages, Preset} from '../images/types';
import type {LongCallOptions} from '../common/progress';
import {firing} from '../network/firing';
import {networkAtLayer} from '../network/networkAtLayer';
import type {Model} from '../network/types';
import type {GatedSums} from '../numerics/gatedSums';
import {halfOf} from '../numerics/pathHash';
import {addGates, emptyGates, measureGates} from './gates';

/** Gated sums of a layer in a pass of their own. */
export async function collectGates(
  model: Model,
  images: LabelledImages,
  options: {layer: string; preset: Preset; floor: number; batchSize?: number; bytes?: number} & LongCallOptions,
): Promise<GatedSums> {
  const {preset, floor, batchSize = 32, bytes} = options;
  await ensureBackend();
  const labels = images.labelsFor(model.classes);
  const network = networkAtLayer(model, options.layer);
  const {layer} = network;
  const fires = firing(model.graph, options.layer);
  const gates = emptyGates(layer, model.classes, floor, bytes);
  const about = {label: `gated sums of ${options.layer}`, total: images.paths.length, unit: 'images', done: 0};
  try {
    await longCall(about, options, async (task, signal) => {
      for await (const batch of imageBatches(images, {inputShape: model.inputShape, preset, batchSize, signal})) {
        if (batch.indices.length > 0) {
          const own = Int32Array.from(batch.indices, (index) => labels[index]);
          const halves = batch.indices.map((index) => halfOf(images.paths[index]));
          const sums = tf.tidy(() => {
            const {input, crossing} = network.trunk(tf.tensor4d(batch.pixels, batch.shape));
            const z = network.linear(input); // [B, H', W', Cout]
            const shares = () => sharesOf(z, network.headGradient(z, crossing, own).gradient);
            return measureGates(
              {layer, labels: own, halves, input: () => input, output: () => z, shares},
              fires,
              gates.floor,
            );
          });
          try {
            const [rows, counts, values] = await Promise.all([sums.rows.data(), sums.counts.data(), sums.sums.data()]);
            const measured = {rows: rows as Int32Array, counts: counts as Float32Array, sums: values as Float32Array};
            addGates(gates, measured, layer, model.classes, bytes);
          } finally {
            tf.dispose([sums.rows, sums.counts, sums.sums]);
          }
        }
        task.advance(batch.indices.length + batch.skipped.length);
      }
    });
  } finally {
    network.dispose();
  }
  return gates;
}

/** s_c = R_c / Σ_j max(R_j, 0), or 0 where that sum is 0, [B, Cout]. */
function sharesOf(z: tf.Tensor4D, gradient: tf.Tensor4D): Float64Array {
  const relevance = tf.sum(tf.mul(z, gradient), [1, 2]).dataSync(); // [B, Cout]
  const outputs = z.shape[3];
  const shares = new Float64Array(relevance.length);
  for (let row = 0; row < relevance.length; row += outputs) {
    let positive = 0;
    for (let c = 0; c < outputs; c++) positive += Math.max(relevance[row + c], 0);
    for (let c = 0; c < outputs; c++) shares[row + c] = positive > 0 ? relevance[row + c] / positive : 0;
  }
  return shares;
}
