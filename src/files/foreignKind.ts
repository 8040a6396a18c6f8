/** First bytes of files that are met where another format was wanted: bytes, words, position. */
const SIGNATURES: readonly [string | readonly number[], string, number?][] = [
  [[0xff, 0xd8, 0xff], 'a JPEG image'],
  [[0x89, 0x50, 0x4e, 0x47], 'a PNG image'],
  [[0x89, 0x48, 0x44, 0x46], 'an HDF5 file (Keras)'],
  [[0x50, 0x4b, 3, 4], 'a zip archive'],
  [[0x1f, 0x8b], 'a gzip archive (unpack it first)'],
  ['GGUF', 'a GGUF file'],
  ['version https://git-lfs', 'a Git LFS pointer (fetch the file itself with git lfs pull)'],
  ['<', 'a web page (the download went wrong)'],
  ['{', 'a JSON file'],
  [[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], 'a NumPy file'],
  ['TFL3', 'a TensorFlow Lite file', 4],
  ['ustar', 'a tar archive (for PyTorch before 0.2, load and save it again with a newer PyTorch)', 257],
];

/** What a file is that is none of the formats wanted, in words, by its first bytes (some hundred). */
export function foreignKind(head: Uint8Array): string {
  if (head.length === 0) return 'an empty file';
  const start = head.findIndex((byte) => byte !== 0x20 && byte !== 9 && byte !== 10 && byte !== 13);
  const found = SIGNATURES.find(([signature, , at]) => {
    const bytes = typeof signature === 'string' ? [...Buffer.from(signature)] : signature;
    // Text may have empty lines before it.
    const from = at ?? (typeof signature === 'string' ? Math.max(start, 0) : 0);
    return bytes.every((byte, i) => head[from + i] === byte);
  });
  const text = head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
  return found?.[1] ?? (text ? 'a text file' : 'a file of unknown format');
}

/**
 * Words for a file that stands in for the real one, a Git LFS pointer, a web page or a gzip archive; undefined for anything else.
 * For formats without a signature of their own, such as raw weights.
 */
export function standInKind(head: Uint8Array): string | undefined {
  const start = Buffer.from(head.subarray(0, 64)).toString('latin1').trimStart();
  if (start.startsWith('version https://git-lfs') || /^<(!doctype|html|\?xml)/i.test(start) || isGzip(head)) {
    return foreignKind(Buffer.from(start, 'latin1'));
  }
  return undefined;
}

/** With the only compression method that there is: raw weights may begin with the two bytes of the signature. */
const isGzip = (head: Uint8Array) => head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
