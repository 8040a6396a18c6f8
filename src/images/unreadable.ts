import {InputError} from '../common/errors';

/**
 * Why an image cannot be read: its file is not there; the file system refuses or fails; what it holds cannot be decoded; decoding took
 * longer than its limit, or ended the process that decodes.
 */
export type UnreadableKind = 'missing' | 'unreachable' | 'undecodable' | 'stuck';

/** An image that cannot be decoded. Long runs skip and count it, or stop, as their caller chooses. */
export class UnreadableImageError extends InputError {
  constructor(
    readonly path: string,
    readonly reason: string,
    /** @default 'undecodable' */
    readonly kind: UnreadableKind = 'undecodable',
  ) {
    super(`unreadable image: ${path}: ${reason}; replace or remove the file`);
  }
}
