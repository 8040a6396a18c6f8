import {stroke, type Distance} from './distances';

/** Segments of the digits 0 to 9: top, upper left, upper right, middle, lower left, lower right, bottom. */
const SEVEN_SEGMENTS = [
  '1110111',
  '0010010',
  '1011101',
  '1011011',
  '0111010',
  '1101011',
  '1101111',
  '1010010',
  '1111111',
  '1111011',
];

/** A seven-segment digit about (centre, 0). */
export function digit(value: number, centre: number): Distance {
  const [left, right, top, bottom] = [centre - 0.22, centre + 0.22, -0.4, 0.4];
  const strokes = [
    [left, top, right, top],
    [left, top, left, 0],
    [right, top, right, 0],
    [left, 0, right, 0],
    [left, 0, left, bottom],
    [right, 0, right, bottom],
    [left, bottom, right, bottom],
  ].filter((_, i) => SEVEN_SEGMENTS[value][i] === '1') as [number, number, number, number][];
  return (u, v) => {
    let d = Infinity;
    for (const [u1, v1, u2, v2] of strokes) d = Math.min(d, stroke(u, v, u1, v1, u2, v2, 0.075));
    return d;
  };
}
