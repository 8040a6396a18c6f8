import type {LayerRecord} from '../topology';
import {activationLayers} from './activations';
import {convolutionLayers} from './convolutions';
import type {LayerReader} from './layer';
import {normalizationLayers} from './normalizations';
import {isOperation, operationOf} from './operations';
import {shapeLayers} from './shapes';

/** Layers that pass values on at inference: dropouts, noise, regularisation, augmentation. */
const PASSES_ON = new Set([
  'ActivityRegularization',
  'AlphaDropout',
  'AugMix',
  'CutMix',
  'Dropout',
  'FixedDropout',
  'GaussianDropout',
  'GaussianNoise',
  'Identity',
  'MixUp',
  'RandAugment',
]);
/** A random crop cuts the centre out at inference, and is read as a layer. */
const PASSES_ON_BY_RULE = /^(Random(?!Crop$)[A-Z]\w*|SpatialDropout[123]D)$/;

export const passesOn = (className: string) => PASSES_ON.has(className) || PASSES_ON_BY_RULE.test(className);

const TABLE: Readonly<Record<string, LayerReader>> = {
  ...convolutionLayers,
  ...normalizationLayers,
  ...activationLayers,
  ...shapeLayers,
};

/** The reader of a layer's class; undefined for a class that is not known. */
export function readerOf(layer: LayerRecord): LayerReader | undefined {
  const known = Object.hasOwn(TABLE, layer.className) ? TABLE[layer.className] : undefined;
  const operation = operationOf(layer, known !== undefined);
  return operation ?? (isOperation(layer.module) ? undefined : known);
}
