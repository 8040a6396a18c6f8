/** Lists of numbers that grow at their end. */
export type NumberList = Int32Array | Float32Array | Float64Array | Uint8Array;

/** How much of a buffer is taken: only whoever appended last may use the room behind it. */
const taken = new WeakMap<ArrayBufferLike, number>();

/**
 * `a` followed by `b`, in amortised constant time an item: the result has room behind it, which the next append takes instead of copying.
 * Arrays that were given out before stay as they were.
 */
export function appended<A extends NumberList>(a: A, b: ArrayLike<number>): A {
  const type = a.constructor as new (buffer: ArrayBufferLike | number, offset?: number, length?: number) => A;
  const length = a.length + b.length;
  const bytes = a.byteOffset + length * a.BYTES_PER_ELEMENT;
  if (taken.get(a.buffer) === a.byteOffset + a.byteLength && bytes <= a.buffer.byteLength) {
    const joined = new type(a.buffer, a.byteOffset, length);
    joined.set(b, a.length);
    taken.set(a.buffer, bytes);
    return joined;
  }
  const room = new type(Math.max(16, Math.ceil(1.5 * length)));
  room.set(a);
  room.set(b, a.length);
  taken.set(room.buffer, length * a.BYTES_PER_ELEMENT);
  return new type(room.buffer, 0, length);
}
