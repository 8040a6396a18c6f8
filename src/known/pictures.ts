/**
 * Pictures of parts: two or three glyphs in quadrants of a cluttered ground, with maps of where each part is. Every number is drawn
 * before anything is painted, so that the same picture can be had without one of its parts.
 */
import {InputError} from '../common/errors';
import {cosine, sine} from '../demo/arithmetic';
import {cover, expose} from '../demo/canvas';
import {randomPalette, type Colour} from '../demo/colours';
import {stroke} from '../demo/distances';
import {keyedRandom, shuffle, type Random} from '../common/random';
import {SHAPES, type Layer} from '../demo/shapes';
import {PARTS} from './parts';

/** Height and width of a picture in pixels, and of a part map in cells. */
export const KNOWN_SIZE = 64;
export const MAP_SIZE = 8;

/** Strokes that may lie behind the parts. */
const STROKES = 4;

/** Glyphs reach beyond their unit square by less than this. */
const REACH = 1.45;

/** How far from a part's centre a cell still shows it, in the part's scale. */
const CORE = 0.75;

export interface KnownPicture {
  /** RGB, [64, 64, 3], 0..255 */
  pixels: Uint8Array;
  /** 1 where a cell of the 8 × 8 grid shows the part, [parts of the picture, 8, 8]; zeros for one that was left out. */
  maps: Uint8Array;
}

/**
 * One picture.
 * @param parts which parts it holds, indices into PARTS; up to four
 * @param key three whole numbers that fix everything that is random
 * @param without a part that is left out, everything else being the same
 * @throws InputError for more than four parts or one that does not exist
 */
export function knownPicture(
  parts: readonly number[],
  key: readonly [number, number, number],
  without?: number,
): KnownPicture {
  const wrong = parts.find((part) => !Number.isInteger(part) || part < 0 || part >= PARTS.length);
  if (wrong !== undefined) throw new InputError(`no part ${wrong}; parts: 0 to ${PARTS.length - 1}`);
  if (parts.length > 4) throw new InputError(`${parts.length} parts in a picture; a picture has room for 4`);
  const random = keyedRandom(...key);
  const ground = randomPalette(random).background;
  const slope = [random.uniform(-0.15, 0.15), random.uniform(-0.15, 0.15)];
  const strokes = Array.from({length: STROKES}, () => randomStroke(ground, random));
  const quadrants = shuffle([0, 1, 2, 3], random.integer);
  const glyphs = parts.map((part, n) => randomGlyph(part, quadrants[n], random));

  const canvas = new Float64Array(KNOWN_SIZE * KNOWN_SIZE * 3);
  for (let row = 0, at = 0; row < KNOWN_SIZE; row++) {
    for (let column = 0; column < KNOWN_SIZE; column++, at += 3) {
      const lift = slope[0] * coordinate(column) + slope[1] * coordinate(row);
      for (let i = 0; i < 3; i++) canvas[at + i] = ground[i] + lift;
    }
  }
  for (const one of strokes) if (one) paintStroke(canvas, one);
  const maps = new Uint8Array(parts.length * MAP_SIZE * MAP_SIZE);
  glyphs.forEach((glyph, n) => {
    if (parts[n] === without) return;
    glyph.layers.forEach((layer) => paintLayer(canvas, glyph, layer));
    markMap(maps.subarray(n * MAP_SIZE * MAP_SIZE, (n + 1) * MAP_SIZE * MAP_SIZE), glyph);
  });
  return {pixels: expose(canvas, random, 0.05), maps};
}

/** Centre of pixel or cell i on the axis −1..1. */
const coordinate = (i: number, size = KNOWN_SIZE) => ((i + 0.5) / size) * 2 - 1;

/** First and last index of an axis whose centres lie between two coordinates. */
function range(low: number, high: number): [number, number] {
  const half = KNOWN_SIZE / 2;
  return [Math.max(0, Math.floor((low + 1) * half)), Math.min(KNOWN_SIZE - 1, Math.ceil((high + 1) * half))];
}

interface Stroke {
  from: [number, number];
  to: [number, number];
  width: number;
  shade: Colour;
}

/** A stroke in a shade of the ground, to distract; every second one is left out. */
function randomStroke(ground: Colour, random: Random): Stroke | undefined {
  const there = random.uniform(0, 1) < 0.5;
  const [x, y] = [random.uniform(-1, 1), random.uniform(-1, 1)];
  const half = random.uniform(0.05, 0.4);
  const direction = random.uniform(0, 6.28);
  const [dx, dy] = [half * cosine(direction), half * sine(direction)];
  const width = random.uniform(0.02, 0.07);
  const shade = ground.map((value) => Math.min(1, Math.max(0, value + random.uniform(-0.3, 0.3))));
  return there ? {from: [x - dx, y - dy], to: [x + dx, y + dy], width, shade: shade as unknown as Colour} : undefined;
}

function paintStroke(canvas: Float64Array, {from, to, width, shade}: Stroke): void {
  const margin = width + 2 / KNOWN_SIZE;
  const [top, bottom] = range(Math.min(from[1], to[1]) - margin, Math.max(from[1], to[1]) + margin);
  const [left, right] = range(Math.min(from[0], to[0]) - margin, Math.max(from[0], to[0]) + margin);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const d = stroke(coordinate(column), coordinate(row), from[0], from[1], to[0], to[1], width);
      cover(canvas, (row * KNOWN_SIZE + column) * 3, d * (KNOWN_SIZE / 2), shade);
    }
  }
}

interface Glyph {
  centre: [number, number];
  scale: number;
  tilt: number;
  mirror: 1 | -1;
  paints: readonly Colour[];
  layers: Layer[];
}

function randomGlyph(part: number, quadrant: number, random: Random): Glyph {
  const middle = (side: number) => (2 * side - 1) * 0.48 + random.uniform(-0.12, 0.12);
  const scale = random.uniform(0.33, 0.4);
  const centre: [number, number] = [middle(quadrant % 2), middle(quadrant >> 1)];
  const tilt = random.uniform(-0.3, 0.3);
  const mirror = random.uniform(0, 1) < 0.5 ? -1 : 1;
  return {centre, scale, tilt, mirror, paints: randomPalette(random).paints, layers: SHAPES[PARTS[part]](random)};
}

function paintLayer(canvas: Float64Array, glyph: Glyph, {paint, distance}: Layer): void {
  const {centre, scale, tilt, mirror, paints} = glyph;
  const [c, s] = [cosine(tilt) / scale, sine(tilt) / scale];
  const pixelsPerUnit = scale * (KNOWN_SIZE / 2);
  const [top, bottom] = range(centre[1] - REACH * scale, centre[1] + REACH * scale);
  const [left, right] = range(centre[0] - REACH * scale, centre[0] + REACH * scale);
  for (let row = top; row <= bottom; row++) {
    const y = coordinate(row) - centre[1];
    for (let column = left; column <= right; column++) {
      const x = coordinate(column) - centre[0];
      const d = distance((c * x + s * y) * mirror, c * y - s * x);
      cover(canvas, (row * KNOWN_SIZE + column) * 3, d * pixelsPerUnit, paints[paint]);
    }
  }
}

/** Cells whose centres are within 0.75 of the glyph's scale from its centre. */
function markMap(map: Uint8Array, {centre, scale}: Glyph): void {
  for (let row = 0; row < MAP_SIZE; row++) {
    for (let column = 0; column < MAP_SIZE; column++) {
      const [dx, dy] = [coordinate(column, MAP_SIZE) - centre[0], coordinate(row, MAP_SIZE) - centre[1]];
      if (dx * dx + dy * dy < (CORE * scale) ** 2) map[row * MAP_SIZE + column] = 1;
    }
  }
}
