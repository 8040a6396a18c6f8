import {InputError} from '../../common/errors';
import {channelPeaks} from '../../evaluate';
import type {LabelledImages} from '../../images/types';
import type {RelevanceStatistics} from '../../numerics/statistics';
import type {ShowOptions} from './options';
import type {Thumbnail} from './thumbnails';
import {predictedText} from './topImages';

/**
 * Adds to thumbnails where the channel fires in each image, and what the network takes it for, if the network is there.
 * @throws InputError for a crop or mask without the network
 */
export async function addPeaks(
  channel: number,
  stats: RelevanceStatistics,
  images: LabelledImages,
  shown: readonly Thumbnail[],
  {model, crop, mask = false}: ShowOptions,
): Promise<void> {
  if (!model) {
    if (!crop && !mask) return;
    throw new InputError(
      `${crop ? 'crop' : 'mask'} needs the network, which says where the channel fires; give show(…, {model})`,
    );
  }
  const about = {model, layer: stats.layer.name, channel, preset: stats.preset};
  const indices = shown.map(({index}) => index);
  const relevance = mask || crop === 'relevance';
  const peaks = await channelPeaks(about, images, indices, {relevance, progress: false});
  const labels = images.labelsFor(model.classes);
  shown.forEach((thumbnail, at) => {
    const peak = peaks[at];
    if (peak) Object.assign(thumbnail, {peak, caption: predictedText(peak, labels[thumbnail.index])});
  });
}
