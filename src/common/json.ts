/** Deeper than any file of ours or of the formats that are read; a call for each level still fits the stack. */
const MOST_DEPTH = 200;

/**
 * `JSON.parse` for text from a file. What is nested deeper than anything that means something is refused, since whatever goes through it
 * afterwards, `JSON.stringify` for one, calls itself for each level.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfText(text, at);
    else if (code === OPEN_LIST || code === OPEN_RECORD) {
      depth += 1;
      if (depth > MOST_DEPTH) throw new SyntaxError(`it is nested deeper than ${MOST_DEPTH} levels`);
    } else if (code === CLOSE_LIST || code === CLOSE_RECORD) depth -= 1;
  }
  return JSON.parse(text);
}

/** The first key that an object in valid JSON holds twice, which `JSON.parse` overlooks; undefined where none does. */
export function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_RECORD) open.push(new Set());
    else if (code === OPEN_LIST) open.push(undefined);
    else if (code === CLOSE_RECORD || code === CLOSE_LIST) open.pop();
    else if (code === QUOTE) {
      const end = endOfText(text, at);
      AFTER_KEY.lastIndex = end + 1;
      if (AFTER_KEY.test(text)) {
        const raw = text.slice(at + 1, end);
        const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      at = end;
    }
  }
  return undefined;
}

const AFTER_KEY = /\s*:/y;

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_RECORD, CLOSE_RECORD] = Array.from('"\\[]{}', (character) => character.charCodeAt(0)); // prettier-ignore

/** The place of the quote that ends the text that begins at `at`; beyond everything where none does. */
function endOfText(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
