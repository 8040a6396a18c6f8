/**
 * Pictures of 24 things, drawn by arithmetic: a shape given by signed distances is placed at random on a cluttered
 * ground. What is not the shape varies strongly: place, size, tilt, mirroring, shear, colours, ground, contrast, noise.
 * The same (class, index, seed) gives the same bytes on every machine.
 */
import {InputError} from '../common/errors';
import {cosine, exponential, sine} from './arithmetic';
import {cover, expose} from './canvas';
import {randomPalette, type Colour} from './colours';
import {stroke} from './distances';
import {keyedRandom, type Random} from '../common/random';
import {SHAPES, type Layer} from './shapes';

/** Height and width of a picture in pixels. */
export const DEMO_SIZE = 48;

/** Names of the classes by class index, which is also the demo network's output index. */
export const DEMO_CLASSES: readonly string[] = Object.keys(SHAPES);

const MAX_KEY = 2 ** 32 - 1;

/**
 * One picture: RGB, [48, 48, 3], 0..255.
 * @param classIndex 0 to 23, see DEMO_CLASSES
 * @param index which picture of the class, 0 to 2³² − 1; each is drawn alone, from a random stream of its own
 * @param seed which set of pictures, 0 to 2³² − 1
 * @throws InputError where one of them is not such a whole number
 */
export function demoImage(classIndex: number, index: number, seed: number): Uint8Array {
  requireWhole('class index', classIndex, DEMO_CLASSES.length - 1);
  requireWhole('image index', index, MAX_KEY);
  requireWhole('seed', seed, MAX_KEY);
  const name = DEMO_CLASSES[classIndex];
  const random = keyedRandom(seed, classIndex, index);
  const place = randomPlacement(random, name !== 'clock'); // mirrored digits would be another alphabet
  const {background, paints} = randomPalette(random);
  const canvas = new Float64Array(DEMO_SIZE * DEMO_SIZE * 3);
  paintGround(canvas, background, random);
  for (const layer of SHAPES[name](random)) paintLayer(canvas, layer, paints[layer.paint], place);
  return expose(canvas, random);
}

function requireWhole(what: string, value: number, highest: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= highest) return;
  throw new InputError(`invalid ${what}: ${value}; it is a whole number from 0 to ${highest}`);
}

/** From canvas to shape: (u, v) = (x·ux + y·uy + u0, x·vx + y·vy + v0), and canvas units to a shape's unit. */
interface Placement {
  scale: number;
  ux: number;
  uy: number;
  u0: number;
  vx: number;
  vy: number;
  v0: number;
}

/** Tilt about ±30°, half to most of the canvas, anywhere that keeps most of the shape inside. */
function randomPlacement(random: Random, mayMirror: boolean): Placement {
  const scale = random.uniform(0.52, 0.85);
  const tilt = random.uniform(-0.5, 0.5);
  const room = (0.98 - scale) * 0.75;
  const [x0, y0] = [random.uniform(-1, 1) * room, random.uniform(-1, 1) * room];
  const mirror = random.uniform(0, 1) < 0.5 && mayMirror ? -1 : 1;
  const shear = random.uniform(-0.15, 0.15);
  const aspect = exponential(random.uniform(-0.12, 0.12));
  const [c, s] = [cosine(tilt) / scale, sine(tilt) / scale];
  const [vx, vy] = [-s / aspect, c / aspect];
  const stretch = aspect * mirror;
  const [ux, uy] = [(c - shear * s) * stretch, (s + shear * c) * stretch];
  return {scale, ux, uy, u0: -(ux * x0 + uy * y0), vx, vy, v0: -(vx * x0 + vy * y0)};
}

/** Centre of pixel i on the axis −1..1. */
function coordinate(i: number): number {
  return (i + 0.5) / (DEMO_SIZE / 2) - 1;
}

/** A plain colour with a gradient, two faint waves and up to four faint strokes. */
function paintGround(canvas: Float64Array, colour: Colour, random: Random): void {
  const [gx, gy] = [random.uniform(-0.15, 0.15), random.uniform(-0.15, 0.15)];
  const waves = [randomWave(random), randomWave(random)] as const;
  for (let row = 0, at = 0; row < DEMO_SIZE; row++) {
    const y = coordinate(row);
    for (let column = 0; column < DEMO_SIZE; column++, at += 3) {
      const x = coordinate(column);
      const first = waves[0].height * sine(waves[0].kx * x + waves[0].ky * y + waves[0].phase);
      const second = waves[1].height * sine(waves[1].kx * x + waves[1].ky * y + waves[1].phase);
      for (let i = 0; i < 3; i++) {
        canvas[at + i] = colour[i] + gx * x + gy * y + first * waves[0].tint[i] + second * waves[1].tint[i];
      }
    }
  }
  for (let i = 0; i < 4; i++) if (random.uniform(0, 1) < 0.5) paintStroke(canvas, colour, random);
}

function randomWave(random: Random) {
  return {
    height: random.uniform(0, 0.07),
    kx: random.uniform(-7, 7),
    ky: random.uniform(-7, 7),
    phase: random.uniform(0, 6.28),
    tint: [random.uniform(0.3, 1), random.uniform(0.3, 1), random.uniform(0.3, 1)],
  };
}

/** A stroke in a shade of the ground, to distract. */
function paintStroke(canvas: Float64Array, ground: Colour, random: Random): void {
  const [x, y] = [random.uniform(-1, 1), random.uniform(-1, 1)];
  const half = random.uniform(0.05, 0.5);
  const direction = random.uniform(0, 6.28);
  const [dx, dy] = [half * cosine(direction), half * sine(direction)];
  const width = random.uniform(0.02, 0.09);
  const shade = ground.map((value) => Math.min(1, Math.max(0, value + random.uniform(-0.3, 0.3))));
  for (let row = 0, at = 0; row < DEMO_SIZE; row++) {
    for (let column = 0; column < DEMO_SIZE; column++, at += 3) {
      const d = stroke(coordinate(column), coordinate(row), x - dx, y - dy, x + dx, y + dy, width);
      cover(canvas, at, d * (DEMO_SIZE / 2), shade);
    }
  }
}

function paintLayer(canvas: Float64Array, {distance}: Layer, colour: Colour, place: Placement): void {
  const {scale, ux, uy, u0, vx, vy, v0} = place;
  const pixelsPerUnit = scale * (DEMO_SIZE / 2);
  for (let row = 0, at = 0; row < DEMO_SIZE; row++) {
    const y = coordinate(row);
    for (let column = 0; column < DEMO_SIZE; column++, at += 3) {
      const x = coordinate(column);
      const d = distance(x * ux + y * uy + u0, x * vx + y * vy + v0);
      cover(canvas, at, d * pixelsPerUnit, colour);
    }
  }
}
