import {readFile} from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

interface ModelFile {
  modelTopology: object;
  weightsManifest: {paths: string[]; weights: tf.io.WeightsManifestEntry[]}[];
}

/** A LayersModel as tfjs itself loads and runs it. */
export async function readTfjsModel(folder: string): Promise<tfl.LayersModel> {
  const {modelTopology, weightsManifest} = JSON.parse(
    await readFile(path.join(folder, 'model.json'), 'utf8'),
  ) as ModelFile;
  const parts = await Promise.all(
    weightsManifest.flatMap(({paths}) => paths).map((name) => readFile(path.join(folder, name))),
  );
  const weightData = new Uint8Array(Buffer.concat(parts)).buffer;
  const weightSpecs = weightsManifest.flatMap(({weights}) => weights);
  return tfl.loadLayersModel(tf.io.fromMemory({modelTopology, weightSpecs, weightData}));
}
