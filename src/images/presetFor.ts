import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {resolvePreset} from './presets';
import type {LabelledImages, Preset, PresetOption} from './types';

/** What the rule needs of a network. */
interface WithPreset {
  readonly name: string;
  readonly preset?: Preset;
}

/** The preset that applies, and a sentence for each that says otherwise. */
export interface ChosenPreset {
  preset: Preset;
  notes: string[];
}

/**
 * The one rule for how pixels become input, in every call: the call's own preset, else what the statistics or the split recorded,
 * else the images', else the model's. A recorded preset that another one displaces, or that displaces the images', is named.
 * @param call the call's own option
 * @param recorded the preset of the statistics or of the split that the call is about
 * @throws InputError where there is none, also for a model or images that are none
 */
export function choosePreset(
  model: WithPreset,
  images: LabelledImages,
  call?: PresetOption,
  recorded?: Preset,
): ChosenPreset {
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('images', images, 'labelsFor', 'imageFolder(…)');
  const notes: string[] = [];
  const given = call === undefined ? undefined : resolvePreset(call, notes);
  const preset = given ?? recorded ?? images.preset ?? model.preset;
  if (!preset) {
    throw new InputError(
      `no preprocessing is known for model ${model.name}; give a ${option('preset')}: torch-imagenet, tf, cifar, raw or your own`,
    );
  }
  if (given && recorded && !samePreset(given, recorded)) {
    notes.push(
      `preset ${given.name} was given, and preset ${recorded.name} was recorded by the earlier call: ${given.name} is used, and what is compared with the earlier call differs by it`,
    );
  } else if (!given && recorded && images.preset && !samePreset(images.preset, recorded)) {
    notes.push(
      `the images ask for preset ${images.preset.name}, and preset ${recorded.name} was recorded by the earlier call: ${recorded.name} is used; give a ${option('preset')} to choose`,
    );
  }
  return {preset, notes};
}

/** The preset that applies, by the rule of `choosePreset`. */
export function presetFor(model: WithPreset, images: LabelledImages, call?: PresetOption, recorded?: Preset): Preset {
  return choosePreset(model, images, call, recorded).preset;
}

/** Whether two presets make the same input of an image, whatever they are called. */
export function samePreset(one: Preset, other: Preset): boolean {
  const values = ({shorterSide, cropSide, rounding = 'torchvision', interpolation = 'bilinear', mean, std}: Preset) =>
    JSON.stringify([shorterSide, cropSide, shorterSide === undefined ? '' : [rounding, interpolation], mean, std]);
  return values(one) === values(other);
}
