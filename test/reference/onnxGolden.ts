import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type {OnnxModel} from '../../src/formats/onnx/file';
import {decodeModel, encodeModel} from '../../src/formats/onnx/proto';
import type {Graph} from '../../src/network/graph';
import {compileGraph} from '../../src/network/run';

/** Small ONNX networks of several exporters (scripts/networks/golden_onnx.py). */
export const ONNX_FOLDER = path.join(__dirname, '..', 'formats/golden/onnx');

/** Logits by onnxruntime for the golden images. */
export const golden = JSON.parse(readFileSync(path.join(ONNX_FOLDER, 'golden.json'), 'utf8')) as {
  shape: [number, number, number, number];
  image: string;
  logits: Record<string, number[][]>;
};

const images = new Float32Array(Uint8Array.from(Buffer.from(golden.image, 'base64')).buffer);

/** What the graph computes for the golden images. */
export function computed(graph: Graph): number[] {
  return tf.tidy(() => {
    const network = compileGraph(graph);
    const [output] = Object.values(network.run(tf.tensor4d(images, golden.shape)));
    network.dispose();
    return [...output.dataSync()];
  });
}

/** Largest difference from the golden logits, relative to the largest. */
export function goldenError(graph: Graph, name: string): number {
  const found = computed(graph);
  const expected = golden.logits[`${name}.onnx`].flat();
  assert.equal(found.length, expected.length);
  return Math.max(...found.map((value, at) => Math.abs(value - expected[at]))) / Math.max(...expected.map(Math.abs));
}

export const goldenFile = (name: string): string => path.join(ONNX_FOLDER, `${name}.onnx`);
export const goldenModel = (name: string): OnnxModel => decodeModel(readFileSync(goldenFile(name)), name);

/** Writes a golden network, changed, into a folder. @returns the file */
export async function changedGolden(
  folder: string,
  name: string,
  change: (network: ReturnType<typeof goldenModel>) => void,
): Promise<string> {
  const network = goldenModel(name);
  change(network);
  const target = path.join(folder, `${name}.onnx`);
  await writeFile(target, encodeModel(network));
  return target;
}
