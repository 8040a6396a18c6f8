/** What the thread that reads an HDF5 file is given, and what it says. */
export interface Hdf5Job {
  file: string;
  /** Bytes of the file: arrays that are larger are not believed. */
  size: number;
  /** URL of the library's module. */
  library: string;
}

export type FromHdf5 =
  | {kind: 'group'; path: string; keys: string[]; attributes: Record<string, unknown>}
  | {kind: 'array'; path: string; shape: number[]; data: Float32Array<ArrayBuffer>}
  /** A sentence's part about what is wrong with an array. */
  | {kind: 'refused'; why: string}
  | {kind: 'damaged'; reason: string}
  | {kind: 'done'};
