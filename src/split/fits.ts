import {channelKernel, linearLayer} from '../network/linearLayer';
import {dividedKernels} from './rewrite';
import type {Split} from './types';

/** What float32 rounding of the parts explains of Σ d_j − (k − 1)·r − w, as a share of the largest number in the sum. */
const ROUNDING = 1e-5;

/**
 * What a split says and its two networks do not: its channel's kernel and bias are those of the network before, its parts and residue
 * those of the network after, and Σ_j d_j − (k − 1)·r = w.
 * @returns a sentence's part for each, e.g. `part 1 is not the one in the split network`; none where all fits
 */
export function misfitsOf(split: Split): string[] {
  const {layer: name, channel, concepts, original, bias, parts, residue, ownership} = split;
  const before = linearLayer(split.before.graph, name);
  const found: string[] = [];
  if (!same(channelKernel(before, channel), original))
    found.push(`its original is not the kernel of channel ${channel} of layer ${name}`);
  if ((before.bias?.[channel] ?? 0) !== bias) {
    found.push(`its bias is ${bias}, and channel ${channel} of layer ${name} has ${before.bias?.[channel] ?? 0}`);
  }
  const k = parts.length;
  if (k !== concepts.length) found.push(`it has ${k} parts for ${concepts.length} concepts`);
  const after = dividedKernels(split.model.graph, name, channel, k);
  if (!after) found.push(`the split network does not divide channel ${channel} of layer ${name} into ${k} parts`);
  else {
    parts.forEach((part, j) => {
      if (!same(part, after.parts[j])) found.push(`part ${j + 1} is not the one in the split network`);
    });
    if (!same(residue, after.residue)) found.push('its residue is not the one in the split network');
    if (after.biases.some((value) => value !== bias)) found.push('its bias is not the one in the split network');
  }
  const at = original.findIndex((weight, i) => {
    const terms = [...parts.map((part) => part[i]), -(k - 1) * residue[i]];
    const sum = terms.reduce((total, term) => total + term, 0);
    const largest = Math.max(Math.abs(weight), ...terms.map(Math.abs));
    // Written so that what is not a number does not fit.
    return !(Math.abs(sum - weight) <= ROUNDING * largest);
  });
  if (at >= 0) found.push(`its parts and residue do not add up to the channel's kernel (weight ${at})`);
  const owned = ownership?.findIndex((lambda) => !lambda.every((share) => share >= 0 && share <= 1)) ?? -1;
  if (owned >= 0) found.push(`the ownership of part ${owned + 1} is not from 0 to 1`);
  return found;
}

/** Bit for bit, but for the sign of a zero: a sum in the rewriting may turn it. */
const same = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((value, i) => value === b[i]);
