import type {DecodeOptions, ImageSource} from './decode';
import type {PixelSize} from './types';
import type {UnreadableKind} from './unreadable';

/** What the pool sends to a process that decodes. */
export type ToDecoder =
  | {
      kind: 'decode';
      id: number;
      source: ImageSource;
      path: string;
      size: PixelSize;
      options: DecodeOptions;
      seconds: number;
    }
  /** The large image `id` may be decoded now. */
  | {kind: 'grant'; id: number};

/** What it sends back. */
export type FromDecoder =
  | {kind: 'pixels'; id: number; pixels: Uint8Array}
  | {kind: 'unreadable'; id: number; reason: string; why: UnreadableKind}
  /** The image can be read, but does not fit what was asked for. */
  | {kind: 'refused'; id: number; message: string}
  /** Image `id` has so many pixels that it waits until it may be decoded. */
  | {kind: 'ask'; id: number; pixels: number};

/** An image of more pixels asks before it is decoded: 2048 × 2048, at most 16 MB a process. */
export const FREE_PIXELS = 2 ** 22;
