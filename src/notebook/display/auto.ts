import {inspect} from 'node:util';
import {isNotebook} from './bundle';

/**
 * Lets an object show itself when it is the last expression of a cell: a kernel prints that by `util.inspect`, which then
 * shows the object and prints only a short text. Elsewhere, and inside other objects, the short text stands for it.
 * @returns the same object
 */
export function autoDisplay<T extends object>(
  object: T,
  show: (object: T) => unknown,
  shortText: (object: T) => string,
): T {
  Object.defineProperty(object, inspect.custom, {
    configurable: true,
    enumerable: false,
    value: function (this: T, depth: number | null, options: {depth?: number | null}) {
      if (isNotebook() && depth === options.depth) show(object);
      return shortText(object);
    },
  });
  return object;
}
