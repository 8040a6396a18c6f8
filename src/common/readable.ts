/** What `console.log` and the last line of a cell ask an object for; the symbol is shared by all copies of Node and absent in a browser. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Makes plain data print as text that reads well, by `String(x)` and in a cell, without adding to its fields.
 * @returns the same object
 */
export function readable<T extends object>(data: T, describe: (data: T) => string): T & {toString(): string} {
  const text = {value: () => describe(data), enumerable: false, configurable: true};
  return Object.defineProperties(data, {toString: text, [INSPECT]: text}) as T & {toString(): string};
}
