import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import {resolvePreset} from '../images';
import type {LabelledImages, Preset, PresetOption} from '../images/types';
import type {Model} from '../network/types';

/**
 * The preset that applies: the call's, else the images', else the one of an earlier call on other images, else the model's.
 * @throws InputError also for a model or images that are none
 */
export function presetFor(model: Model, images: LabelledImages, option?: PresetOption, earlier?: Preset): Preset {
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('images', images, 'labelsFor', 'imageFolder(…)');
  const preset = option === undefined ? (images.preset ?? earlier ?? model.preset) : resolvePreset(option);
  if (!preset)
    throw new InputError(
      `no preprocessing is known for model ${model.name}; give a preset: torch-imagenet, tf, cifar or your own`,
    );
  return preset;
}
