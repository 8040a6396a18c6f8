/** Activation as colour over a picture: the picture in grey, the colour the stronger the more active. */

/** From light to dark, as all maps of the package: ColorBrewer's YlOrRd, which prints well and the colour-blind read. */
const COURSE: readonly (readonly [number, number, number])[] = [
  [255, 255, 204],
  [255, 237, 160],
  [254, 217, 118],
  [254, 178, 76],
  [253, 141, 60],
  [252, 78, 42],
  [227, 26, 28],
  [177, 0, 38],
];

export interface Picture {
  /** RGB, [height, width, 3], 0..255. */
  data: Uint8Array;
  width: number;
  height: number;
}

/**
 * A map over a picture.
 * @param map [height, width] of `size`, row-major; values up to 0 leave the picture grey
 * @param highest the value of the strongest colour, the same for all maps that are to be compared
 * @param side the result is a square of this many pixels
 */
export function overlay(
  picture: Picture,
  map: ArrayLike<number>,
  size: {height: number; width: number},
  highest: number,
  side: number,
): Picture {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const source = 3 * (nearest(y, side, picture.height) * picture.width + nearest(x, side, picture.width));
      const [red, green, blue] = picture.data.subarray(source, source + 3);
      const grey = 40 + 0.7 * (0.299 * red + 0.587 * green + 0.114 * blue);
      const value = bilinear(map, size, (y + 0.5) / side, (x + 0.5) / side);
      const share = highest > 0 && Number.isFinite(value) ? Math.min(Math.max(value / highest, 0), 1) : 0;
      const opacity = 0.9 * Math.sqrt(share);
      const colour = heatColour(share);
      for (let c = 0; c < 3; c++) {
        data[3 * (y * side + x) + c] = Math.round((1 - opacity) * grey + opacity * colour[c]);
      }
    }
  }
  return {data, width: side, height: side};
}

/** The colour of a share from 0 to 1 of the strongest. */
export function heatColour(share: number): [number, number, number] {
  // Its darkest part is left out: on a dark picture it would say nothing.
  const at = (0.1 + 0.9 * Math.min(Math.max(share, 0), 1)) * (COURSE.length - 1);
  const low = Math.min(Math.floor(at), COURSE.length - 2);
  const rest = at - low;
  return [0, 1, 2].map((c) => (1 - rest) * COURSE[low][c] + rest * COURSE[low + 1][c]) as [number, number, number];
}

/** A picture of the shape that is asked for, pixels repeated or left out. */
export function squared(picture: Picture, side: number): Picture {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const source = 3 * (nearest(y, side, picture.height) * picture.width + nearest(x, side, picture.width));
      data.set(picture.data.subarray(source, source + 3), 3 * (y * side + x));
    }
  }
  return {data, width: side, height: side};
}

function nearest(at: number, side: number, length: number): number {
  return Math.min(length - 1, Math.floor(((at + 0.5) / side) * length));
}

/** Value of a map at a place from 0 to 1 down and across, between the centres of its four cells. */
function bilinear(map: ArrayLike<number>, {height, width}: {height: number; width: number}, v: number, u: number) {
  const y = Math.min(Math.max(v * height - 0.5, 0), height - 1);
  const x = Math.min(Math.max(u * width - 0.5, 0), width - 1);
  const [y0, x0] = [Math.floor(y), Math.floor(x)];
  const [y1, x1] = [Math.min(y0 + 1, height - 1), Math.min(x0 + 1, width - 1)];
  const [dy, dx] = [y - y0, x - x0];
  const top = (1 - dx) * map[y0 * width + x0] + dx * map[y0 * width + x1];
  const bottom = (1 - dx) * map[y1 * width + x0] + dx * map[y1 * width + x1];
  return (1 - dy) * top + dy * bottom;
}
