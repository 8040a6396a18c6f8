/**
 * Characters that a terminal or an editor obeys instead of showing: control characters, and those that turn the direction of
 * writing (Boucher and Anderson 2021, "Trojan Source"); also line separators and halves of surrogate pairs.
 */
const OBEYED =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text from a file as it can be shown anywhere: what would be obeyed becomes `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(OBEYED, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/** A name from a file, printable and not longer than `length` characters. @param length @default 80 */
export function printableName(value: unknown, length = 80): string {
  const text = typeof value === 'string' ? value : `(${value === null ? 'nothing' : typeof value})`;
  return printable(text.length > length ? `${text.slice(0, length)}…` : text);
}

/** Text of several lines, printable line by line: what names out of files would do to a terminal is shown instead. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** Markup of which the text is printable; XML allows none of the rest but tabs and ends of lines, which are between its tags. */
export const printableMarkup = (markup: string): string =>
  markup.replace(OBEYED, (character) => (/[\t\r\n]/.test(character) ? character : printable(character)));

/** JSON that means the same and holds nothing that a terminal obeys. */
export function printableJson(json: string): string {
  return json.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
