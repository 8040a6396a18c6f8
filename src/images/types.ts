/** How pixels become a network's input: (pixel / 255 − mean) / deviation per RGB channel, after the geometry. */
export interface Preset {
  name: string;
  /** Resize so that the shorter side has this many pixels; without it an image must already have the input's size. */
  shorterSide?: number;
  /** RGB, on the scale 0..1. */
  mean: readonly [number, number, number];
  deviation: readonly [number, number, number];
}

/** A preset's name or a preset of one's own. */
export type PresetOption = 'torch-imagenet' | 'tf' | 'cifar' | Preset;

/**
 * Labelled images that are decoded when they are needed. `paths` identify images across machines (relative to the folder, `/`
 * as separator), fix their order and, by their hash, the half that an image belongs to.
 */
export interface LabelledImages {
  readonly name: string;
  readonly paths: readonly string[];
  /** The preprocessing that the images ask for; where absent, the model's. */
  readonly preset?: Preset;
  /**
   * Class index (the model's output index) of each image, for a model with `classes` outputs.
   * @throws InputError where it is unclear or beyond the outputs
   */
  labelsFor(classes: number): Int32Array;
  /** Names of the classes by class index, `class 7` where unknown. */
  classNamesFor(classes: number): string[];
  /**
   * Pixels of one image: RGB, [height, width, 3], 0..255. An image that already has this size is not touched; another is
   * resized to the shorter side and centre-cropped.
   * @throws InputError that names the file, where it cannot be decoded or has another size and no shorter side is given
   */
  pixels(index: number, size: {height: number; width: number; shorterSide?: number}): Promise<Uint8Array>;
  toString(): string;
}

/** One decoded, preprocessed batch. */
export interface ImageBatch {
  /** Indices into `paths`, ascending; unreadable images are absent. */
  indices: number[];
  /** [B, H, W, 3], ready for the network. */
  pixels: Float32Array;
  shape: [number, number, number, number];
  /** Unreadable images that fell into this batch. */
  skipped: {path: string; reason: string}[];
}
