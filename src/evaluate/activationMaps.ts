import ndarray, {type NdArray} from 'ndarray';
import {pixelSize} from '../images';
import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {readable} from '../common/readable';
import {presetFor} from '../images/presetFor';
import type {Split} from '../split/types';
import {channelNames, summedActivations} from './activations';
import {applyKernels, imagesOfConcepts, passLayer, type EvaluationOptions} from './layerPass';
import {fractionText} from '../common/numbers';
import {textTable} from '../common/textTable';
import {namedClass} from '../common/words';

export interface ActivationMapsOptions extends Omit<EvaluationOptions, 'randomSplits' | 'seed'> {
  /** Images for each concept: those that excite its part most. @default 4 */
  perConcept?: number;
  /** These images instead, by their place among `images`: only they are run. @default chosen by activation */
  indices?: readonly number[];
}

/** One image seen by the original channel, each part and the residue. */
export interface ActivationMap {
  /** Its place among the images given, and its path there. */
  index: number;
  path: string;
  class: number;
  className: string;
  /** Position of the concept whose part it excites most; −1 where the images were named. */
  concept: number;
  /** What the network saw: RGB, [height, width, 3], 0..255. */
  pixels: {data: Uint8Array; width: number; height: number};
  /** Output before normalisation and activation of each of `kernels`, an `ndarray` [h, w] each. */
  maps: NdArray<Float32Array>[];
  /** Σ_hw relu of each map. */
  activations: number[];
}

/** Where in an image the original channel, each part and the residue are active. Plain data. */
export interface ActivationMaps {
  readonly kind: 'activation maps';
  layer: string;
  channel: number;
  concepts: {classes: number[]; classNames: string[]}[];
  /** `original`, `d1` … `dk`, `residue` */
  kernels: string[];
  /** h and w of a map. */
  height: number;
  width: number;
  images: ActivationMap[];
  /** Lowest and highest value of all maps, so that they share one colour scale. */
  scale: {lowest: number; highest: number};
  toString(): string;
}

/**
 * Where the original channel, each part and the residue are active, for the images that excite each concept's part most (by summed
 * activation Σ_hw relu over all images given).
 * @throws InputError for a concept without images, a count below 1 or an image out of range; InterruptError when stopped
 */
export async function activationMaps(
  split: Split,
  images: LabelledImages,
  options: ActivationMapsOptions = {},
): Promise<ActivationMaps> {
  const {perConcept = 4, indices} = options;
  if (!Number.isSafeInteger(perConcept) || perConcept < 1)
    throw new InputError(`invalid perConcept: ${perConcept}; give a whole number of images from 1, such as 4`);
  const wanted = indices
    ? indices.map((index) => ({index, concept: -1}))
    : await mostExciting(split, images, perConcept, options);
  const {before} = split;
  // After choosing, which has a bar, the chosen few need none of their own.
  const progress = indices ? options.progress : false;
  const distinct = [...new Set(wanted.map(({index}) => index))];
  const {maps, height, width} = await mapsOf(split, images, distinct, {...options, progress});
  const preset = presetFor(before, images, options.preset, split.preset);
  const [inputHeight, inputWidth] = before.inputShape;
  const labels = images.labelsFor(before.classes);
  const classNames = before.classNames ?? images.classNamesFor(before.classes);
  const shown: ActivationMap[] = [];
  for (const {index, concept} of wanted) {
    const own = maps.get(index);
    if (!own) continue; // It could not be read.
    const data = await images.pixels(index, pixelSize(preset, inputHeight, inputWidth)); // [H, W, 3]
    shown.push({
      index,
      path: images.paths[index],
      class: labels[index],
      className: classNames[labels[index]],
      concept,
      pixels: {data, width: inputWidth, height: inputHeight},
      maps: own.map((map) => ndarray(map, [height, width])),
      activations: own.map((map) => map.reduce((sum, value) => sum + Math.max(value, 0), 0)),
    });
  }
  const values = shown.flatMap((image) => image.maps.map(({data}) => data));
  const extreme = (pick: (a: number, b: number) => number) =>
    values.reduce((found, map) => map.reduce((a, b) => pick(a, b), found), 0);
  const result: Omit<ActivationMaps, 'toString'> = {
    kind: 'activation maps',
    layer: split.layer,
    channel: split.channel,
    concepts: split.concepts.map(({classes, classNames: names}) => ({classes, classNames: names})),
    kernels: [...channelNames(split), 'residue'],
    height,
    width,
    images: shown,
    scale: {lowest: extreme(Math.min), highest: extreme(Math.max)},
  };
  return readable(result, describeMaps);
}

/** The images that excite each part most, concept by concept. */
async function mostExciting(
  split: Split,
  images: LabelledImages,
  count: number,
  options: EvaluationOptions,
): Promise<{index: number; concept: number}[]> {
  imagesOfConcepts(split, images);
  const all = Array.from(images.paths.keys());
  const measured = await summedActivations(split, images, all, split.parts, options);
  return measured.activations.flatMap((values, concept) =>
    Array.from(values.keys())
      .sort((a, b) => values[b] - values[a] || a - b)
      .slice(0, count)
      .map((at) => ({index: measured.images[at], concept})),
  );
}

/** Outputs of the original, the parts and the residue, [h, w] each, by image. */
async function mapsOf(
  split: Split,
  images: LabelledImages,
  indices: readonly number[],
  options: EvaluationOptions,
): Promise<{maps: Map<number, Float32Array[]>; height: number; width: number}> {
  const kernels = [split.original, ...split.parts, split.residue];
  const maps = new Map<number, Float32Array[]>();
  let [height, width] = [0, 0];
  await passLayer(
    split,
    images,
    indices,
    `mapping channel ${split.channel} of ${split.layer}`,
    options,
    (batch) => {
      const outputs = applyKernels(batch, split, kernels); // [B, h, w, N]
      [, height, width] = outputs.shape;
      return {outputs};
    },
    (batch) => {
      const size = height * width;
      batch.images.forEach((index, b) => {
        const own = kernels.map((_, n) =>
          Float32Array.from({length: size}, (_unused, at) => batch.outputs[(b * size + at) * kernels.length + n]),
        );
        maps.set(index, own);
      });
    },
  );
  return {maps, height, width};
}

function describeMaps(maps: Omit<ActivationMaps, 'toString'>): string {
  const {layer, channel, kernels, height, width, images} = maps;
  const rows = images.map(({class: k, className, path, activations}) => [
    `${namedClass(k, className)}, ${path}`,
    ...activations.map(fractionText),
  ]);
  return [
    `activation of channel ${channel} of layer ${layer} and its parts, ${height} × ${width} positions; summed over them:`,
    ...textTable([['', ...kernels], ...rows]).map((line) => `  ${line}`),
  ].join('\n');
}
