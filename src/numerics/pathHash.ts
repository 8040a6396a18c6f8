import {scramble} from '../common/scramble';

/** 32-bit FNV-1a over the UTF-8 bytes, then MurmurHash3's finaliser, so that every bit of the result depends on every byte. */
export function pathHash(path: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(path)) hash = Math.imul(hash ^ byte, 0x01000193);
  return scramble(hash) >>> 0;
}

/** The half of the data that an image belongs to: by its relative path alone, so that shards and resumed runs agree. */
export function halfOf(path: string): 0 | 1 {
  return (pathHash(path) & 1) as 0 | 1;
}
