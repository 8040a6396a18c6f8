import {printable} from './printable';

/**
 * An error that the user can mend: its message is one sentence or two that say what is invalid, its value, what would
 * be valid and what to do. The command line prints the message alone and exits with 1; a cell shows it without a stack.
 */
export class InputError extends Error {
  override readonly name = 'InputError';

  /** @param message may quote names out of files: what a terminal would obey in them is shown instead */
  constructor(message: string) {
    super(message.split('\n').map(printable).join('\n'));
  }
}

/** Long work was interrupted by its user; what was computed is kept and the message says where. */
export class InterruptError extends Error {
  override readonly name = 'InterruptError';

  /** @param signal what the process was sent, where that is known, e.g. `SIGTERM` */
  constructor(
    message: string,
    readonly signal?: string,
  ) {
    super(message);
  }
}
