/** How images get their class indices, before a model is known. */
export interface Labelling {
  /** Class index of each image, for a model with `outputs` outputs. @throws InputError where it is unclear or beyond them */
  labels(outputs: number): Int32Array;
  /** Names by class index, `class 7` where unknown. */
  names(outputs: number): string[];
  /** What the user should know of it, a sentence each. */
  notes: string[];
}
