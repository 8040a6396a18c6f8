import {linearLayer} from '../../src/network/linearLayer';
import {kernelsFromOwnership, kernelsFromParts} from '../../src/split/kernels';
import {makeSplit} from '../../src/split/split';
import type {Split} from '../../src/split/types';
import type {LabelledImages} from '../../src/images/types';
import {collectRelevance} from '../../src/relevance/collect';
import {smallModel, uniform, type SmallNetwork} from './smallNetworks';

/**
 * A split of one channel of a small network that no rule made: random ownership, hard or soft, or free kernels. What is measured of it does
 * not depend on how it came about.
 */
export function smallSplit(
  network: SmallNetwork,
  {concepts = [[0], [1]] as number[][], ownership = 'hard' as 'hard' | 'soft' | 'free', channel = 2, seed = 3} = {},
): Split {
  const model = smallModel(network);
  const layer = linearLayer(model.graph, 'studied');
  const [kh, kw, inputs, outputs] = layer.shape;
  const original = Float32Array.from({length: kh * kw * inputs}, (_, at) => layer.kernel[at * outputs + channel]);
  const draw = uniform(seed);
  const k = concepts.length;
  // A third of the sources is shared; in the soft case each concept owns some of each.
  const owners = Array.from({length: inputs}, () => Math.floor(draw() * (k + k / 2)));
  const lambda = concepts.map((_, j) =>
    Float64Array.from(owners, (owner) => (ownership === 'soft' ? draw() : owner === j || owner >= k ? 1 : 0)),
  );
  const free = concepts.map(() => Float64Array.from(original, (weight) => weight / k + (draw() - 0.5)));
  const {parts, residue} =
    ownership === 'free' ? kernelsFromParts(original, free) : kernelsFromOwnership(original, lambda);
  return makeSplit({
    layer: 'studied',
    channel,
    concepts: concepts.map((classes) => ({
      classes,
      classNames: classes.map((label) => `class ${label}`),
      arv: new Float64Array(inputs),
    })),
    rule: 'random',
    ownership: ownership === 'free' ? undefined : lambda,
    sources: concepts.map((_, j) => owners.flatMap((owner, i) => (owner === j ? [i] : []))),
    kernelShape: [kh, kw, inputs],
    original,
    bias: layer.bias?.[channel] ?? 0,
    parts,
    residue,
    zeroInputShare: 0.5,
    before: model,
  });
}

/** The split with other parts, whether they add up or not. */
export function withParts(split: Split, parts: Float32Array[]): Split {
  return makeSplit({...split, before: split.before, parts});
}

/** A network of the kind asked for, by its seed, and a channel of it that has at least `share` of the relevance of two images of each concept. */
export async function relevantChannel(
  network: SmallNetwork,
  concepts: readonly (readonly number[])[],
  images: LabelledImages,
  share: number,
): Promise<{network: SmallNetwork; channel: number}> {
  for (let seed = 1; seed < 200; seed++) {
    const model = smallModel({...network, seed});
    const stats = await collectRelevance(model, images, {layer: 'studied', progress: false});
    model.dispose();
    const {offsets, channels, values} = stats.shares;
    const important = (channel: number, classes: readonly number[]) =>
      stats.images.paths.filter((_, image) => {
        const at = channels.slice(offsets[image], offsets[image + 1]).indexOf(channel);
        return classes.includes(stats.images.labels[image]) && at >= 0 && values[offsets[image] + at] >= share;
      }).length;
    for (let channel = 0; channel < stats.layer.shape[3]; channel++) {
      if (concepts.every((classes) => important(channel, classes) >= 2)) return {network: {...network, seed}, channel};
    }
  }
  throw new Error('no small network has such a channel');
}

/** The ways to divide a channel that evaluation must cope with. */
export const SMALL_SPLITS = [
  {concepts: [[0], [1]], ownership: 'hard'},
  {concepts: [[0, 3], [1], [2]], ownership: 'hard'},
  {concepts: [[0], [2], [1, 3]], ownership: 'soft'},
  {concepts: [[3], [1, 2]], ownership: 'free'},
] as const;
