import {option} from '../common/options';
import {existsSync} from 'node:fs';
import {InputError} from '../common/errors';
import {cifar10, isCifar10} from './cifar10';
import {imageFolder, UnlabelledImagesError, type ImageFolderOptions} from './folder';
import type {LabelledImages} from './types';

export interface OpenImagesOptions extends ImageFolderOptions {
  /** The file of labels that an earlier run on perhaps other images used: it counts where it fits. */
  recordedLabels?: string;
}

/** The images that a path stands for: CIFAR-10's binary batches, a folder of them or one file, else an image folder. */
export async function openImages(
  path: string,
  {recordedLabels, ...options}: OpenImagesOptions = {},
): Promise<LabelledImages> {
  if (await isCifar10(path)) return cifar10(path, options);
  if (options.labels !== undefined || recordedLabels === undefined) return imageFolder(path, options);
  try {
    return await imageFolder(path, {...options, labels: recordedLabels});
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return imageFolder(path, options).catch((unlabelled: Error) => {
      if (!(unlabelled instanceof UnlabelledImagesError)) throw unlabelled;
      // Not the first error's words: they quote the file, which may be any that a stranger's record names.
      throw new InputError(
        `no labels for the images of ${path}: those recorded by the earlier run, "${recordedLabels}", ${existsSync(recordedLabels) ? 'do not fit' : 'are not there any more'}; give ${option('labels')}, a JSON or CSV file of file name to class index, or sort the images into one sub-folder for each class`,
      );
    });
  }
}
