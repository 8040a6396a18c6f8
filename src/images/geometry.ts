import {InputError} from '../common/errors';
import {resizeAndCrop, type RgbImage} from './resize';
import type {PixelSize} from './types';

/**
 * The image at the size that is wanted: as it is where it has that size, else its shorter side resized and its centre cropped.
 * @throws InputError that names the image, where it has another size and no shorter side is given
 */
export function fitTo(image: RgbImage, size: PixelSize, path: string): Uint8Array {
  const {height, width, shorterSide, rounding = 'torchvision', interpolation} = size;
  if (image.height === height && image.width === width) return image.data;
  if (shorterSide === undefined) {
    throw new InputError(
      `wrong image size: ${path} has ${image.height} × ${image.width} pixels (height × width), the network takes ${height} × ${width}; resize the images or choose a preset that does`,
    );
  }
  const resized = resizedSize(image, shorterSide, rounding);
  if (resized.height < height || resized.width < width) {
    throw new InputError(`a shorter side of ${shorterSide} pixels leaves less than ${height} × ${width} of ${path}`);
  }
  const corner = rounding === 'nearest' ? Math.floor : roundHalfToEven;
  const [left, top] = [corner((resized.width - width) / 2), corner((resized.height - height) / 2)];
  return resizeAndCrop(image, resized, {left, top, width, height}, interpolation);
}

function resizedSize({width, height}: RgbImage, shorterSide: number, rounding: 'torchvision' | 'nearest') {
  const shorter = Math.min(width, height);
  const longer = Math.max(width, height);
  // The factor is rounded first, as the sizes that this rounding reproduces were computed.
  const side =
    rounding === 'nearest'
      ? Math.round(longer * (shorterSide / shorter))
      : Math.trunc((shorterSide * longer) / shorter);
  return width < height ? {width: shorterSide, height: side} : {width: side, height: shorterSide};
}

/** Python's `round`, which torchvision's CenterCrop uses. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
