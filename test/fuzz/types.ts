/** A sound file or folder, of which one file is damaged. */
export interface Seed {
  /** What is damaged. */
  bytes: Buffer;
  /** All files, by their paths, with the damaged bytes in their place; checksums may be made to fit them. */
  files(damaged: Buffer): Record<string, Buffer>;
  /** Whether a checksum covers these bytes, so that nothing else than what is sound may be read. */
  checked?: boolean;
}

export interface FuzzedReader {
  name: string;
  /** What is read: a file's path inside the place where the files are; the place itself where it is empty. */
  entry: string;
  /** Sound ones; small ones find more. */
  seeds(): Seed[] | Promise<Seed[]>;
  /** A reader that takes a good part of a second gets a twentieth of the files. */
  slow?: boolean;
  /**
   * Reads it; InputError is the only exception that may come.
   * @returns what was read, where `checked` seeds are compared with it
   */
  read(place: string): Promise<string | undefined>;
}
