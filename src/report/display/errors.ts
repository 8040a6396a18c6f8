import {inspect} from 'node:util';
import {InputError, InterruptError} from '../../common/errors';
import {firstTime, kernelState} from './state';

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

/**
 * What to write instead of a shorthand property: tslab rewrites the variables of earlier cells where they are read, but not there.
 * @param code the cell's source
 */
export function shorthandHint({name, message}: Error, code = ''): string[] {
  const variable = name === 'ReferenceError' ? /^([\w$]+) is not defined$/.exec(message)?.[1] : undefined;
  if (variable === undefined || !hasShorthand(code, variable)) return [];
  return [
    `In a tslab cell a shorthand property does not see variables of earlier cells: write {${variable}: ${variable}} instead of {${variable}}.`,
  ];
}

/** Whether a source has a property `{…, name, …}` in shorthand. */
export function hasShorthand(code: string, name: string): boolean {
  return new RegExp(`[{,]\\s*${name.replaceAll('$', '\\$')}\\s*[,}]`).test(code) && code.includes('{');
}

/** Frames of a stack that help to report an error; the others name the kernel's and Node's own lines. */
const FRAMES = 3;

/**
 * Errors that a kernel prints get short from now on: an interrupted cell says so in a line, and any other error keeps its
 * first lines. To be called before tslab is loaded, which keeps the function that it prints with.
 */
export function printErrorsShortly(console: Pick<Console, 'error'> = globalThis.console): void {
  if (!firstTime(console, 'print errors shortly')) return;
  const print = console.error;
  console.error = (...values: unknown[]) =>
    print.apply(
      console,
      values.map((value) => (value instanceof Error ? errorText(value) : value)),
    );
}

function errorText(error: Error): string {
  // What ends a cell that waits for something, and one that computes; the stack is the kernel's own.
  const {code} = error as NodeJS.ErrnoException;
  if (error.message === 'Interrupted asynchronously' || code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
    return 'Interrupted: what the cell declared is lost; a long call stops at its next batch and says in its bar what it kept.';
  }
  let frames = 0;
  const kept: string[] = [];
  for (const line of inspect(error).split('\n')) {
    const isFrame = /^\s+at /.test(line);
    if (!isFrame) frames = 0;
    const foreign = /node:|[\\/]tslab[\\/]dist[\\/]/.test(line);
    if (!isFrame || (!foreign && frames++ < FRAMES)) kept.push(line);
    else if (line.endsWith(' {')) kept.push('{'); // opens the error's own fields
  }
  return [...shorthandHint(error, kernelState().code), ...kept].join('\n');
}
