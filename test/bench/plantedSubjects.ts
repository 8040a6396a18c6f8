/** The networks of the planted benchmark, their images and the layer that is studied; the two real ones are read from ../shared/data. */
import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {demo} from '../../src/demo';
import {randomCrops} from '../../src/planted';
import type {PlantedImages, PlantedOptions} from '../../src/planted';
import {imageFolder} from '../../src/images';
import {loadModel} from '../../src/formats/load';
import type {Model} from '../../src/network/types';

const shared = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
export interface Subject {
  model: Model;
  images: PlantedImages;
  options: Pick<PlantedOptions, 'layer' | 'tau' | 'discoveryPerClass' | 'heldOutPerClass'>;
}

export const SUBJECTS: Record<string, () => Promise<Subject>> = {
  demo: () => demoSubject(0),
  demo1: () => demoSubject(1),
  async resnet20() {
    const model = await loadModel(path.join(shared, 'models/resnet20-12fca82f.th'), {arch: 'resnet20'});
    const images = {
      discovery: await imageFolder(path.join(shared, 'cifar10/train')),
      heldOut: await imageFolder(path.join(shared, 'cifar10/test')),
    };
    return {model, images, options: {layer: 'layer3.2.conv1', tau: 0.03}};
  },
  async mobilenet() {
    const model = await loadModel(path.join(shared, 'models/mobilenet_v1_0.75_224'), {preset: 'tf'});
    const folder = path.join(shared, 'imagenet-samples/crops-224');
    // A file is named by its class: 0000_n01440764.png.
    const labels = Object.fromEntries((await readdir(folder)).map((file) => [file, Number(file.slice(0, 4))]));
    const photographs = await imageFolder(folder, {labels});
    const images = {
      discovery: randomCrops(photographs, {count: 20}),
      heldOut: randomCrops(photographs, {from: 20, count: 12}),
    };
    return {model, images, options: {layer: 'conv_pw_13', tau: 0.03}};
  },
};

async function demoSubject(seed: number): Promise<Subject> {
  const {model, train, test} = await demo({seed});
  return {model, images: {discovery: train, heldOut: test}, options: {layer: 'conv5', tau: 2 / 16}};
}
