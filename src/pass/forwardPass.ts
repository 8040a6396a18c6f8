import {checkArgument} from '../common/argument';
import type {LongCallOptions} from '../common/progress';
import type {LabelledImages, PresetOption} from '../images/types';
import {whateverLabels} from '../images/unlabelled';
import type {Model} from '../network/types';
import {runPass, type BatchCollector} from './runPass';

export interface PredictedLabelsOptions extends LongCallOptions {
  preset?: PresetOption;
  /** Images per batch. @default 32 */
  batchSize?: number;
}

/**
 * One forward pass over images, labelled or not, for a collector that asks for logits alone.
 * @param label what the progress bar calls it
 * @throws InputError where no preprocessing is known
 */
export async function forwardPass(
  model: Model,
  images: LabelledImages,
  options: PredictedLabelsOptions,
  label: string,
  collector: Pick<BatchCollector, 'measure' | 'add'>,
): Promise<void> {
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('images', images, 'labelsFor', 'imageFolder(…)');
  const [layer] = model.layers().slice(-1);
  const pass = {...options, layers: [layer.name], label};
  await runPass(model, whateverLabels(images), pass, [{...collector, init: () => undefined}]);
}
