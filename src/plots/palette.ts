/**
 * Colours that the colour-blind tell apart (Okabe and Ito 2008, "Color Universal Design"), without the yellow that a white
 * ground swallows. Figures stand on a white card of their own, so they read the same in a dark and in a light page.
 */
export const BLUE = '#0072b2';
export const ORANGE = '#e69f00';
export const GREEN = '#009e73';
export const VERMILION = '#d55e00';
export const PURPLE = '#cc79a7';
export const SKY = '#56b4e9';
export const GREY = '#6e7781';

/** Concepts in their order; grey is kept for what no concept owns. */
export const CONCEPT_COLOURS: readonly string[] = [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION];
/** What is held against the result: controls, the rest. */
export const PALE = '#afb8c1';
/** Thresholds and choices. */
export const MARK = VERMILION;
export const INK = '#1f2328';
export const QUIET = '#57606a';
/** A cell without a value. */
export const EMPTY = '#eaeef2';

/** Values from low to high: even steps to every eye, and in print. */
export const SEQUENTIAL = 'viridis';

/** A colour for each of k concepts; beyond the sixth they return. */
export function conceptColours(k: number): string[] {
  return Array.from({length: k}, (_, j) => CONCEPT_COLOURS[j % CONCEPT_COLOURS.length]);
}
