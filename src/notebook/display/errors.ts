import {inspect} from 'node:util';
import {InputError, InterruptError} from '../../numerics/errors';
import {firstTime} from '../kernel/state';

/**
 * Errors that the user can mend are shown in a cell as their message alone: the frames of a stack name lines of
 * generated code, no cell. A kernel prints an error by `util.inspect`.
 */
export function showErrorsShortly(): void {
  for (const kind of [InputError, InterruptError]) {
    if (!firstTime(kind.prototype, 'show shortly')) continue;
    Object.defineProperty(kind.prototype, inspect.custom, {
      configurable: true,
      value: function (this: Error) {
        return `${this.name}: ${this.message}`;
      },
    });
  }
}
