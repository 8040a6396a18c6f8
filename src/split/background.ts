import {subset} from '../images';
import type {LabelledImages, Preset} from '../images/types';
import type {Model} from '../network/types';
import type {LongCallOptions} from '../common/progress';
import type {NetworkAtLayer} from '../network/networkAtLayer';
import {conceptInputs, type KeptInputs} from './conceptInputs';
import type {GroupView} from './group';
import {conceptsOfImages, type Members} from './members';
import {patchMoment} from './patches';
import type {SecondMoment} from './types';

/** Images of other classes that stand for the background: enough for a second moment, few enough for a minute's work. */
const BACKGROUND_IMAGES = 200;

/** A second moment needs one pass, so nothing is kept for another. */
const READ_ONCE = 0;

/** The layer's inputs for images of classes that are in no concept, evenly spread over the list; undefined where there are none. */
export function backgroundInputs(
  network: NetworkAtLayer,
  model: Model,
  images: LabelledImages,
  concepts: readonly Members[],
  options: {preset: Preset; batchSize: number} & LongCallOptions,
): KeptInputs | undefined {
  const owners = conceptsOfImages(images, model.classes, concepts);
  const others = [...owners.keys()].filter((index) => owners[index] < 0);
  if (others.length === 0) return undefined;
  const count = Math.min(others.length, BACKGROUND_IMAGES);
  const indices = Array.from({length: count}, (_, n) => others[Math.floor((n * others.length) / count)]);
  const one = [{classes: [], classNames: ['other images'], images: indices.map((index) => images.paths[index])}];
  return conceptInputs(network, model, subset(images, {indices}), one, options, READ_ONCE);
}

/** E[x xᵀ] over them, of a group's sources where one is given. */
export async function backgroundMoment(
  network: NetworkAtLayer,
  model: Model,
  images: LabelledImages,
  concepts: readonly Members[],
  options: {preset: Preset; batchSize: number} & LongCallOptions,
  group?: GroupView,
): Promise<SecondMoment | undefined> {
  const inputs = backgroundInputs(network, model, images, concepts, options);
  return inputs && patchMoment(group?.layer ?? network.layer, group?.inputs(inputs) ?? inputs);
}
