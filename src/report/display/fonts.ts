import {createRequire} from 'node:module';

/**
 * The font of pictures that are drawn without a browser: shipped, so that labels are there on a machine without fonts
 * and a picture looks the same everywhere. Latin, Greek, Cyrillic, Hebrew, Arabic and the mathematical signs are in it.
 */
export const FONT_FAMILY = 'DejaVu Sans';

export function fontFiles(): string[] {
  const {resolve} = createRequire(__filename);
  return ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSans-Oblique.ttf'].map((file) =>
    resolve(`dejavu-fonts-ttf/ttf/${file}`),
  );
}

/** Whether the shipped font lacks some of the text, so that the machine's fonts are needed too (Chinese, emoji). */
export function needsSystemFonts(text: string): boolean {
  return /[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Common}\p{Script=Inherited}]|\p{Emoji_Presentation}/u.test(
    text,
  );
}

/** Advance widths in 1/100 em of U+0020 to U+007E, from the font's `hmtx` table. */
const REGULAR = [
  32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
  84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61,
  69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59,
  82, 59, 59, 52, 64, 34, 64, 84,
];
const BOLD = [
  35, 46, 52, 84, 70, 100, 87, 31, 46, 46, 52, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40, 84,
  84, 84, 58, 100, 77, 76, 73, 83, 68, 68, 82, 84, 37, 37, 77, 64, 100, 84, 85, 73, 85, 77, 72, 68, 81, 77, 110, 77, 72,
  73, 46, 37, 46, 84, 50, 50, 67, 72, 59, 72, 68, 44, 72, 71, 34, 34, 67, 34, 104, 71, 69, 72, 72, 49, 60, 48, 71, 65,
  92, 65, 65, 58, 71, 37, 71, 84,
];
const OTHER = 65;
const WIDE = 100;

/** Width in pixels of a line of text in the shipped font; other scripts are estimated. */
export function textWidth(text: string, {size, bold = false}: {size: number; bold?: boolean}): number {
  const widths = bold ? BOLD : REGULAR;
  let total = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    total += widths[code - 0x20] ?? (code >= 0x2e80 ? WIDE : /\p{Mark}/u.test(character) ? 0 : OTHER);
  }
  return (total / 100) * size;
}
