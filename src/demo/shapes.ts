import {PI, angle, cosine, length, sine} from './arithmetic';
import {digit} from './digits';
import {box, circle, ellipse, polygon, stroke, type Distance} from './distances';
import type {Random} from '../common/random';

/** One figure of a shape, painted over the layers before it. */
export interface Layer {
  /** Which of the palette's three paints. */
  paint: 0 | 1 | 2;
  /** Signed distance in the shape's own frame: about the unit square, v pointing down, below 0 inside. */
  distance: Distance;
}

/** What varies within a class beyond place, size and colour is drawn from `random`. */
export type Shape = (random: Random) => Layer[];

const {abs, floor, max, min, round} = Math;
const TURN = 2 * PI;

const clock: Shape = (random) => {
  const hours = digit(random.integer(0, 9), -0.52);
  const minutes = digit(random.integer(0, 9), 0.52);
  return [
    {paint: 0, distance: (u, v) => box(u, v, 0, 0, 1.05, 0.66)},
    {paint: 1, distance: (u, v) => min(hours(u, v), minutes(u, v), circle(u, abs(v), 0, 0.17, 0.08))},
  ];
};

const flag: Shape = (random) => {
  const phase = random.uniform(0, TURN);
  const wave: Distance = (u, v) => v + 0.09 * sine(3.5 * u + phase);
  const cloth: Distance = (u, v) => max(abs(u - 0.07) - 0.87, abs(wave(u, v) + 0.38) - 0.57);
  const stripes: Distance = (u, v) => 0.07 * cosine(PI * ((5 * (wave(u, v) + 0.95)) / 1.14 - 0.5));
  return [
    {paint: 0, distance: cloth},
    {paint: 1, distance: (u, v) => max(cloth(u, v), stripes(u, v))},
    {paint: 2, distance: (u, v) => stroke(u, v, -0.85, -1, -0.85, 1, 0.06)},
  ];
};

const planet: Shape = () => {
  const disc: Distance = (u, v) => circle(u, v, 0, 0, 0.56);
  const ring: Distance = (u, v) => 0.5 * (abs(length(u, v / 0.32) - 0.88) - 0.13);
  const hidden: Distance = (u, v) => max(v, disc(u, v)); // behind the disc's upper half
  return [
    {paint: 0, distance: disc},
    {paint: 1, distance: (u, v) => max(ring(u, v), -hidden(u, v))},
  ];
};

const flower: Shape = (random) => {
  const petals = random.integer(5, 7);
  const phase = random.uniform(0, TURN);
  return [
    {paint: 0, distance: (u, v) => 0.6 * (length(u, v) - 0.64 - 0.32 * cosine(petals * angle(v, u) + phase))},
    {paint: 1, distance: (u, v) => length(u, v) - 0.25},
  ];
};

const checker: Shape = () => {
  const board: Distance = (u, v) => box(u, v, 0, 0, 0.86, 0.86);
  const squares: Distance = (u, v) => 0.14 * sine((PI * u) / 0.43) * sine((PI * v) / 0.43);
  return [
    {paint: 0, distance: board},
    {paint: 1, distance: (u, v) => max(board(u, v), squares(u, v))},
  ];
};

const leaf: Shape = () => {
  const blade: Distance = (u, v) => circle(u, -abs(v), 0, 0.864, 1.284); // two circles' intersection
  const midrib: Distance = (u, v) => stroke(u, v, -1.15, 0, 0.9, 0, 0.045);
  const veins: Distance = (u, v) => {
    let d = Infinity;
    for (let i = 0; i < 4; i++) {
      const start = -0.6 + 0.33 * i;
      d = min(d, stroke(u, abs(v), start, 0, start + 0.25, 0.33, 0.035));
    }
    return d;
  };
  return [
    {paint: 0, distance: blade},
    {paint: 1, distance: (u, v) => min(midrib(u, v), max(veins(u, v), blade(u, v)))},
  ];
};

const spiral: Shape = (random) => {
  const phase = random.uniform(0, 1);
  const pitch = 0.34;
  return [
    {
      paint: 0,
      distance: (u, v) => {
        const r = length(u, v);
        const windings = r / pitch - angle(v, u) / TURN + phase;
        return max(abs(windings - round(windings)) * pitch - 0.085, r - 0.97);
      },
    },
  ];
};

const cross: Shape = () => [
  {paint: 0, distance: (u, v) => min(box(u, v, 0, 0, 0.92, 0.28), box(u, v, 0, 0, 0.28, 0.92))},
];

const bricks: Shape = () => {
  const [width, height] = [0.62, 0.32];
  const wall: Distance = (u, v) => box(u, v, 0, 0, 1, 0.8);
  const mortar: Distance = (u, v) => {
    const down = (v + 0.8) / height;
    const row = floor(down);
    const along = u / width + 0.5 * abs(row % 2); // odd rows are shifted by half a brick
    const gapAbove = min(down - row, row + 1 - down) * height;
    const gapBeside = min(along - floor(along), floor(along) + 1 - along) * width;
    return min(gapAbove, gapBeside) - 0.04;
  };
  return [
    {paint: 0, distance: wall},
    {paint: 1, distance: (u, v) => max(wall(u, v), mortar(u, v))},
  ];
};

const fish: Shape = () => {
  const tail = polygon(0.35, 0, 1, -0.48, 1, 0.48);
  const body: Distance = (u, v) => 0.45 * ellipse(u, v, -0.2, 0, 0.75, 0.43);
  return [
    {paint: 0, distance: (u, v) => min(body(u, v), tail(u, v))},
    {paint: 1, distance: (u, v) => circle(u, v, -0.62, -0.1, 0.1)},
    {paint: 1, distance: (u, v) => max(body(u, v), abs(abs(u + 0.05) - 0.18) - 0.05)},
  ];
};

const star: Shape = () => {
  // One edge, from an inner corner on the axis of a notch to the tip a tenth of a turn away; the rest is symmetry.
  const [inner, tenth] = [0.42, PI / 5];
  const [du, dv] = [cosine(tenth) - inner, sine(tenth)];
  const edge = length(du, dv);
  return [
    {
      paint: 0,
      distance: (u, v) => {
        const r = length(u, v);
        const turned = angle(u, -v) + TURN; // from the upward tip
        const fromNotch = abs((turned % (2 * tenth)) - tenth);
        return (dv * (r * cosine(fromNotch) - inner) - du * r * sine(fromNotch)) / edge;
      },
    },
  ];
};

const moon: Shape = () => [
  {paint: 0, distance: (u, v) => max(circle(u, v, -0.1, 0, 0.9), -circle(u, v, 0.32, 0, 0.74))},
];

const target: Shape = () => [
  {paint: 0, distance: (u, v) => length(u, v) - 0.95},
  {paint: 1, distance: (u, v) => min(abs(length(u, v) - 0.6) - 0.12, length(u, v) - 0.22)},
];

const house: Shape = () => {
  const roof = polygon(-0.95, -0.12, 0, -0.98, 0.95, -0.12);
  const door: Distance = (u, v) => box(u, v, 0.22, 0.6, 0.15, 0.3);
  const window: Distance = (u, v) => box(u, v, -0.28, 0.32, 0.17, 0.15);
  return [
    {paint: 0, distance: (u, v) => box(u, v, 0, 0.38, 0.66, 0.52)},
    {paint: 1, distance: (u, v) => min(roof(u, v), door(u, v), window(u, v))},
  ];
};

const fir: Shape = () => {
  const upper = polygon(-0.45, -0.4, 0, -1, 0.45, -0.4);
  const middle = polygon(-0.6, 0.08, 0, -0.7, 0.6, 0.08);
  const lower = polygon(-0.75, 0.6, 0, -0.35, 0.75, 0.6);
  return [
    {paint: 1, distance: (u, v) => box(u, v, 0, 0.78, 0.13, 0.22)},
    {paint: 0, distance: (u, v) => min(upper(u, v), middle(u, v), lower(u, v))},
  ];
};

const mug: Shape = () => {
  const handle: Distance = (u, v) => abs(circle(u, v, 0.42, 0, 0.36)) - 0.09;
  const body: Distance = (u, v) => min(box(u, v, -0.2, 0, 0.56, 0.72), 0.25 * ellipse(u, v, -0.2, -0.72, 0.56, 0.18));
  return [
    {paint: 0, distance: (u, v) => min(handle(u, v), body(u, v))},
    {paint: 1, distance: (u, v) => 0.2 * ellipse(u, v, -0.2, -0.72, 0.46, 0.12)},
  ];
};

const arrow: Shape = () => {
  const head = polygon(0.1, -0.62, 0.98, 0, 0.1, 0.62);
  return [{paint: 0, distance: (u, v) => min(box(u, v, -0.4, 0, 0.55, 0.17), head(u, v))}];
};

const heart: Shape = () => {
  const lobes: Distance = (u, v) => circle(abs(u), v, 0.42, -0.3, 0.5);
  const point: Distance = (u, v) => max(0.76 * abs(u) + 0.65 * (v - 0.92), -(v + 0.02));
  return [{paint: 0, distance: (u, v) => min(lobes(u, v), point(u, v))}];
};

const ladder: Shape = () => [
  {
    paint: 0,
    distance: (u, v) => {
      let d = box(abs(u), v, 0.42, 0, 0.07, 1);
      for (let i = 0; i < 5; i++) d = min(d, box(u, v, 0, -0.74 + 0.37 * i, 0.45, 0.06));
      return d;
    },
  },
];

const smiley: Shape = () => {
  const eyes: Distance = (u, v) => circle(abs(u), v, 0.34, -0.27, 0.13);
  const mouth: Distance = (u, v) => max(abs(length(u, v) - 0.55) - 0.08, 0.15 - v);
  return [
    {paint: 0, distance: (u, v) => length(u, v) - 0.92},
    {paint: 1, distance: (u, v) => min(eyes(u, v), mouth(u, v))},
  ];
};

const boat: Shape = () => {
  const hull = polygon(-0.95, 0.4, 0.95, 0.4, 0.6, 0.85, -0.6, 0.85);
  const mainsail = polygon(0.1, -0.92, 0.85, 0.28, 0.1, 0.28);
  const jib = polygon(-0.1, -0.7, -0.1, 0.28, -0.65, 0.28);
  return [
    {paint: 0, distance: (u, v) => min(hull(u, v), stroke(u, v, 0, -1, 0, 0.4, 0.05))},
    {paint: 1, distance: (u, v) => min(mainsail(u, v), jib(u, v))},
  ];
};

const mushroom: Shape = () => {
  const cap: Distance = (u, v) => max(0.9 * ellipse(u, v, 0, 0.1, 0.92, 0.95), v - 0.1);
  const spots: Distance = (u, v) =>
    min(circle(u, v, -0.45, -0.2, 0.14), circle(u, v, 0.08, -0.5, 0.15), circle(u, v, 0.5, -0.15, 0.13));
  return [
    {paint: 1, distance: (u, v) => box(u, v, 0, 0.5, 0.24, 0.42)},
    {paint: 0, distance: cap},
    {paint: 1, distance: spots},
  ];
};

const umbrella: Shape = () => {
  const stick: Distance = (u, v) => stroke(u, v, 0, -1.05, 0, 0.75, 0.055);
  const hook: Distance = (u, v) => max(abs(circle(u, v, 0.17, 0.75, 0.17)) - 0.06, 0.75 - v);
  const dome: Distance = (u, v) => max(circle(u, v, 0, 0, 0.95), v);
  const scallops: Distance = (u, v) => 0.16 * ellipse(abs(abs(u) - 0.475), v, 0.2375, 0, 0.2375, 0.16);
  return [
    {paint: 1, distance: (u, v) => min(stick(u, v), hook(u, v))},
    {paint: 0, distance: (u, v) => max(dome(u, v), -scallops(u, v))},
  ];
};

const hourglass: Shape = () => {
  const glass: Distance = (u, v) => max(abs(u) - 0.12 - 0.62 * abs(v), abs(v) - 0.8);
  const sand: Distance = (u, v) => max(abs(u) - 0.02 - 0.6 * abs(v), abs(v) - 0.8, 0.4 - v);
  const frame: Distance = (u, v) => box(u, abs(v), 0, 0.87, 0.75, 0.09);
  return [
    {paint: 0, distance: glass},
    {paint: 1, distance: (u, v) => min(sand(u, v), frame(u, v))},
  ];
};

/** The classes in the order of the network's outputs. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  clock,
  flag,
  planet,
  flower,
  checker,
  leaf,
  spiral,
  cross,
  bricks,
  fish,
  star,
  moon,
  target,
  house,
  fir,
  mug,
  arrow,
  heart,
  ladder,
  smiley,
  boat,
  mushroom,
  umbrella,
  hourglass,
};
