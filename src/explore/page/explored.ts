import type {ClassVectors} from '../../concepts/relate';
import type {VectorKind} from '../../concepts/types';
import type {Vector} from '../../numerics/vectors';

/** Positions of the knobs: τ, p, γ and ρ of Hesse et al. 2025, section 3. */
export interface Settings {
  tau: number;
  p: number;
  gamma: number;
  rho: number;
  /** What classes are compared by. @default published */
  arv?: VectorKind;
}

export type Knob = Exclude<keyof Settings, 'arv'>;

/** Values that each knob can take, ascending. */
export type Grid = Record<Knob, readonly number[]>;

/** A channel and the classes that it is relevant to at the lowest thresholds. */
export interface ExploredChannel {
  channel: number;
  /** Class indices, ascending. */
  classes: readonly number[];
  /**
   * At how many values of τ, counted from the smallest, the channel is relevant to the class, by class and value of p,
   * [classes, values of p]. Relevance only shrinks where τ or p grows, so this says it for every pair of thresholds.
   */
  reach: Uint8Array;
}

export interface ExploredClass {
  name: string;
  /** Images that count. */
  images: number;
}

/** What the panel says about its numbers. */
export interface About {
  model: string;
  layer: string;
  /** [kh, kw, Cin, Cout] */
  shape: readonly [number, number, number, number];
  images: string;
  imageCount: number;
  /** Classes with images. */
  classCount: number;
  /** What was left out or rounded to keep the panel small, a sentence each. */
  reduced: readonly string[];
  warnings: readonly string[];
}

/** Small pictures, tiles of one image. */
export interface Pictures {
  /** Side of a tile in pixels, and tiles a row. */
  tile: number;
  columns: number;
  /** What each tile shows. */
  paths: readonly string[];
  /** Tiles of a channel's classes, the most relevant image first, by channel and class as in `channels`. */
  tiles: readonly (readonly (readonly number[])[])[];
}

/** Statistics in the form that the panel explores: in the kernel as they are, in the page from what it carries. */
export interface Explored {
  about: About;
  grid: Grid;
  start: Settings;
  classes: ReadonlyMap<number, ExploredClass>;
  channels: readonly ExploredChannel[];
  pictures?: Pictures;
  /** ARV of a channel for one of its classes, by position in its list, [Cin]. */
  arv(channel: ExploredChannel, position: number): Vector;
  /** The channel's classes by gated vectors, numbered by their position in its list; undefined for statistics without gates. */
  gated?(channel: ExploredChannel): ClassVectors;
}

/** Position of a value on its grid. */
export function gridIndex(grid: readonly number[], value: number): number {
  const at = grid.indexOf(value);
  if (at < 0) throw new Error(`${value} is not on the grid ${grid[0]} … ${grid[grid.length - 1]}`);
  return at;
}
