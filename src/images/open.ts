import {existsSync} from 'node:fs';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {UnlabelledImagesError} from './classFolders';
import {cifar10, isCifar10} from './cifar10';
import {imageFolder, type ImageFolderOptions} from './folder';
import {imageList, isImageList} from './imageList';
import {isTar, tarImages} from './tarImages';
import type {LabelledImages} from './types';

export interface OpenImagesOptions extends ImageFolderOptions {
  /** The folder that the paths of a list file are relative to. @default the list's own folder */
  root?: string;
  /** The file of labels that an earlier run on perhaps other images used: it counts where it fits. */
  recordedLabels?: string;
}

/**
 * The images that a path stands for: CIFAR-10's binary batches, tar archives (a folder of them or one file), a list file, else an image
 * folder.
 */
export async function openImages(
  path: string,
  {recordedLabels, ...options}: OpenImagesOptions = {},
): Promise<LabelledImages> {
  if (typeof path !== 'string')
    throw new InputError(`no path: ${String(path)}; give that of a folder, an archive or a list file`);
  if (await isCifar10(path)) return cifar10(path, options);
  if (await isImageList(path)) return imageList(path, options);
  const open = (await isTar(path)) ? tarImages : imageFolder;
  if (options.labels !== undefined || recordedLabels === undefined) return open(path, options);
  // Not the first error's words, ever: they quote the file, which may be any that a stranger's record names.
  const misfit = () =>
    new InputError(
      `no labels for the images of ${path}: those recorded by the earlier run, "${recordedLabels}", ${existsSync(recordedLabels) ? 'do not fit' : 'are not there any more'}; give ${option('labels')}, a JSON or CSV file of file name to class index, or sort the images into one sub-folder for each class`,
    );
  try {
    const images = await open(path, {...options, labels: recordedLabels});
    const guarded =
      <T>(ask: (outputs: number) => T) =>
      (outputs: number): T => {
        try {
          return ask(outputs);
        } catch (error) {
          throw error instanceof InputError ? misfit() : error;
        }
      };
    return {...images, labelsFor: guarded(images.labelsFor), classNamesFor: guarded(images.classNamesFor)};
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return open(path, options).catch((unlabelled: Error) => {
      throw unlabelled instanceof UnlabelledImagesError ? misfit() : unlabelled;
    });
  }
}
