import {conceptColours} from '../../plots/palette';

/** Colour of a concept by its position, as figures have it; names tell them apart too. */
export function conceptColour(position: number): string {
  return conceptColours(position + 1)[position];
}

/** Black or white on a colour, whichever is read more easily. */
export function inkOn(colour: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  // Contrasts with black and with white are equal at a luminance of 0.18.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? '#000' : '#fff';
}

/** Nine stops of viridis. */
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** Viridis at 0..1; what lies outside takes the end's colour. */
export function viridis(share: number): [number, number, number] {
  const at = Math.max(0, Math.min(1, share)) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return [0, 1, 2].map((i) =>
    Math.round(VIRIDIS[below][i] + (at - below) * (VIRIDIS[below + 1][i] - VIRIDIS[below][i])),
  ) as [number, number, number];
}
