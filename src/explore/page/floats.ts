/** Bits of a float32's fraction that are kept: all, or fewer where space is short. Zero stays zero, and signs stay. */
export type FractionBits = 23 | 15 | 11 | 9;

/**
 * The four bytes of each value in little-endian order, all first bytes before all second ones: bytes of one kind lie together,
 * which compresses better. Rounds to nearest.
 */
export function shuffledBytes(values: Float32Array, bits: FractionBits): Uint8Array {
  const words = new Uint32Array(values.length);
  new Float32Array(words.buffer).set(values);
  const dropped = 23 - bits;
  const bytes = new Uint8Array(4 * words.length);
  for (let i = 0; i < words.length; i++) {
    const finite = (words[i] & 0x7f800000) !== 0x7f800000;
    const word = dropped > 0 && finite ? roundedWord(words[i], dropped) : words[i];
    for (let byte = 0; byte < 4; byte++) bytes[byte * words.length + i] = word >>> (8 * byte);
  }
  return bytes;
}

/** Rounding up may carry into the exponent, which is the next power of two: as it should be. */
function roundedWord(word: number, dropped: number): number {
  return (((word + (1 << (dropped - 1))) >>> dropped) << dropped) >>> 0;
}

export function unshuffledFloats(bytes: Uint8Array): Float32Array {
  const words = new Uint32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) {
    let word = 0;
    for (let byte = 3; byte >= 0; byte--) word = (word << 8) | bytes[byte * words.length + i];
    words[i] = word >>> 0;
  }
  return new Float32Array(words.buffer);
}
