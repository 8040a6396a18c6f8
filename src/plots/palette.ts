/**
 * All colours of the package: of figures, of frames around pictures, of the page with sliders. The colour-blind tell them apart (after Okabe
 * and Ito 2008, "Color Universal Design", without the yellow that a white ground swallows). Vermilion has one meaning: a threshold, and what is
 * below γ.
 */

const BLUE = '#0072b2';
const ORANGE = '#e69f00';
const GREEN = '#009e73';
const PINK = '#cc79a7';
const SKY = '#56b4e9';
const BROWN = '#9a6324';
const VIOLET = '#7b5cd6';
const LIME = '#8db600';
const WINE = '#a3274f';
const VERMILION = '#d55e00';
const GREY = '#6e7781';

/** Colours that say nothing of classes, in their order: kinds of bars and points. */
export const SERIES: readonly string[] = [BLUE, ORANGE, GREEN, PINK, SKY];

const CLASS_COLOURS = [BLUE, ORANGE, GREEN, PINK, SKY, BROWN, VIOLET, LIME, WINE];
const COLOUR_NAMES: Record<string, string> = {
  [BLUE]: 'blue',
  [ORANGE]: 'orange',
  [GREEN]: 'green',
  [PINK]: 'pink',
  [SKY]: 'sky blue',
  [BROWN]: 'brown',
  [VIOLET]: 'violet',
  [LIME]: 'lime',
  [WINE]: 'wine red',
};

/** What is of no concept: the original channel, what several concepts share, other classes. */
export const NO_CONCEPT = GREY;
/** What is held against the result: controls, the rest. */
export const PALE = '#afb8c1';
/** Thresholds and choices, and what is below γ. */
export const MARK = VERMILION;
export const INK = '#1f2328';
export const QUIET = '#57606a';
export const LINE = '#d0d7de';
export const GRID = '#eaeef2';
/** A cell without a value. */
export const EMPTY = '#e4e8ec';
/** The page's ground, and what separates marks. */
export const GROUND = '#ffffff';
/** Text on the dark end of a map; the same in a dark page. */
export const ON_DARK = '#fefefe';
/** Text on the light end of a map; the same in a dark page. */
export const ON_LIGHT = '#1e2227';

/** Values from low to high, light to dark: even steps to every eye, and in print. */
export const SEQUENTIAL = 'yellowgreenblue';
/** The same as stops, for what is no figure. */
export const SEQUENTIAL_STOPS: readonly (readonly [number, number, number])[] = [
  [239, 249, 189],
  [219, 241, 180],
  [189, 229, 181],
  [148, 213, 185],
  [105, 197, 190],
  [69, 180, 194],
  [44, 158, 192],
  [33, 130, 184],
  [33, 99, 170],
  [35, 71, 156],
  [28, 49, 133],
];

/**
 * What a colour becomes on a dark page: ink and ground change places, the others keep their hue. Wherever a figure is drawn, this table alone
 * turns it.
 */
export const DARK: Readonly<Record<string, string>> = {
  [INK]: '#e6edf3',
  [QUIET]: '#9da7b1',
  [LINE]: '#3d444d',
  [GRID]: '#2a3038',
  [EMPTY]: '#2a3038',
  [GROUND]: '#15181c',
  [PALE]: '#6b7580',
  [GREY]: '#9198a1',
  [BLUE]: '#3d9bdc',
  [BROWN]: '#bd8140',
  [VIOLET]: '#9a80ea',
  [WINE]: '#d0577f',
  [VERMILION]: '#ff7b2e',
};

/** A concept or anything else that stands for classes. */
export interface Coloured {
  /** Class indices; without them a concept's place in its list takes their part. */
  classes?: readonly number[];
}

/**
 * A colour for each concept. It follows from the concept's lowest class index, so that a class has one colour in every figure; where two
 * concepts of one list would have the same, the one with the higher index takes the next that is free. Beyond nine they return.
 */
export function conceptColours(concepts: readonly Coloured[]): string[] {
  const places = CLASS_COLOURS.length;
  const wanted = concepts.map(({classes = []}, j) => (classes.length > 0 ? Math.min(...classes) : j));
  const order = [...concepts.keys()].sort((a, b) => wanted[a] - wanted[b] || a - b);
  const taken = new Set<number>();
  const colours: string[] = [];
  for (const j of order) {
    let place = wanted[j] % places;
    while (taken.has(place) && taken.size < places) place = (place + 1) % places;
    taken.add(place);
    if (taken.size === places) taken.clear();
    colours[j] = CLASS_COLOURS[place];
  }
  return colours;
}

/** What a colour is called, for a sentence about frames. */
export function colourName(colour: string): string {
  return COLOUR_NAMES[colour] ?? 'grey';
}

/** Black or white on a colour, whichever is read more easily. */
export function inkOn(colour: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  // Contrasts with black and with white are equal at a luminance of 0.18.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? ON_LIGHT : ON_DARK;
}

/** The sequential map at 0..1; what lies outside takes the end's colour. */
export function sequential(share: number): [number, number, number] {
  const at = Math.max(0, Math.min(1, share)) * (SEQUENTIAL_STOPS.length - 1);
  const below = Math.min(Math.floor(at), SEQUENTIAL_STOPS.length - 2);
  const [low, high] = [SEQUENTIAL_STOPS[below], SEQUENTIAL_STOPS[below + 1]];
  return [0, 1, 2].map((i) => Math.round(low[i] + (at - below) * (high[i] - low[i]))) as [number, number, number];
}
