import {InputError} from '../common/errors';

/** An image that cannot be decoded. Long runs skip and count it, or stop, as their caller chooses. */
export class UnreadableImageError extends InputError {
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(`unreadable image: ${path}: ${reason}; replace or remove the file`);
  }
}
