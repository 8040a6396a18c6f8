import {InputError} from '../common/errors';
import {numberText} from '../common/numbers';

/** What the benchmark keeps of its images at the layer, in bytes. */
export const MOST_BYTES = 6e9;

/** Values of one image: X, the tensors that pass the layer by on their way to the head, and T. */
export interface ValuesOfOne {
  input: number;
  passing: number;
  sums: number;
}

/** Bytes that all images take: discovery images keep everything, held-out ones X alone. */
export function keptBytes(
  {input, passing, sums}: ValuesOfOne,
  {discovery, heldOut}: {discovery: number; heldOut: number},
): number {
  return 4 * (discovery * (input + passing + sums) + heldOut * input);
}

/** @throws InputError where they take more than `most` */
export function checkMemory(
  values: ValuesOfOne,
  images: {discovery: number; heldOut: number},
  layer: string,
  most = MOST_BYTES,
): void {
  const bytes = keptBytes(values, images);
  if (bytes <= most) return;
  const size = (value: number) => (value < 1e8 ? `${numberText(value / 1e6)} MB` : `${numberText(value / 1e9)} GB`);
  const passing = 4 * images.discovery * values.passing;
  throw new InputError(
    `the inputs of ${layer}${passing > 0 ? `, and what passes it by (${size(passing)}),` : ''} take ${size(bytes)} for ${images.discovery} discovery and ${images.heldOut} held-out images, and at most ${size(most)} is kept; ` +
      'give fewer images per class (discoveryPerClass, heldOutPerClass) or a deeper layer',
  );
}
