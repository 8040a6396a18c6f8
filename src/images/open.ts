import {cifar10, isCifar10} from './cifar10';
import {imageFolder, type ImageFolderOptions} from './folder';
import type {LabelledImages} from './types';

/** The images that a path stands for: CIFAR-10's binary batches, a folder of them or one file, else an image folder. */
export async function openImages(path: string, options: ImageFolderOptions = {}): Promise<LabelledImages> {
  return (await isCifar10(path)) ? cifar10(path, options) : imageFolder(path, options);
}
