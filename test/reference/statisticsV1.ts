import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {writeSafetensors} from '../../src/files/safetensors';
import type {RelevanceStatistics} from '../../src/numerics/statistics';

/** Statistics as version 0.1 wrote them: all arrays in one file, the list of images in the manifest, `deviation` for `std`. */
export async function writeVersion1(stats: RelevanceStatistics, folder: string): Promise<void> {
  const {name, listHash, total, done, paths, labels, skipped} = stats.images;
  const images = {name, listHash, total, done, paths, skipped};
  const [kh, kw, inputs, outputs] = stats.layer.shape;
  const {std, ...preset} = stats.preset;
  const top = [outputs, stats.top.count];
  const entries = [stats.shares.values.length];
  const manifest = {
    format: 'unweave relevance statistics',
    formatVersion: 1,
    arrays: 'statistics-8-lx1.safetensors',
    model: stats.model,
    layer: stats.layer,
    classes: stats.classes,
    classNames: stats.classNames,
    preset: {...preset, deviation: std},
    images,
    floor: stats.shares.floor,
    topCount: stats.top.count,
    zeroInputs: stats.zeroInputs,
  };
  await mkdir(folder, {recursive: true});
  await writeSafetensors(path.join(folder, manifest.arrays), {
    kernel: {shape: [kh * kw, inputs, outputs], data: stats.kernel},
    labels: {shape: [labels.length], data: labels},
    counts: {shape: [2, stats.classes], data: stats.counts},
    input_sums: {shape: [2, stats.classes, kh * kw, inputs], data: stats.inputSums},
    share_offsets: {shape: [labels.length + 1], data: stats.shares.offsets},
    share_channels: {shape: entries, data: stats.shares.channels},
    share_values: {shape: entries, data: stats.shares.values},
    top_relevance_images: {shape: top, data: stats.top.relevance.images},
    top_relevance_values: {shape: top, data: stats.top.relevance.values},
    top_activation_images: {shape: top, data: stats.top.activation.images},
    top_activation_values: {shape: top, data: stats.top.activation.values},
    hits: {shape: [stats.classes], data: stats.hits},
  });
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
}
