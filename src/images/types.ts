import type {ImageSource} from './decode';
import type {UnreadableKind} from './unreadable';

/** How pixels become a network's input: (pixel / 255 − mean) / std per RGB channel, after the geometry. */
export interface Preset {
  name: string;
  /** Resize so that the shorter side has this many pixels, then crop the centre; without it an image must already have the input's size. */
  shorterSide?: number;
  /**
   * The input that `shorterSide` is meant for: for an input of another size the shorter side grows or shrinks with it, so
   * that the crop keeps the same part of the image. @default the input's own size: `shorterSide` is taken as it is
   */
  cropSide?: number;
  /** How the longer side and the crop's corner are rounded, see `PixelSize`. @default 'torchvision' */
  rounding?: 'torchvision' | 'nearest';
  /** How the image is resized, both antialiased as Pillow does it. @default 'bilinear' */
  interpolation?: 'bilinear' | 'bicubic';
  /** RGB, on the scale 0..1. A network of one channel takes luma, with the first value. */
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
  /** Nobody named it: a guess that results mention. @default false */
  assumed?: boolean;
}

/** A preset's name, a preset of one's own, or the path of a JSON file that holds one. */
export type PresetOption = 'torch-imagenet' | 'tf' | 'cifar' | 'raw' | Preset | (string & {});

/** The geometry of the pixels that are wanted. An image of this height and width is not touched. */
export interface PixelSize {
  height: number;
  width: number;
  /** Resize the shorter side to this, then crop the centre; without it another size is an error. */
  shorterSide?: number;
  /**
   * `torchvision`: the longer side is truncated, the crop's corner rounded half to even (Resize and CenterCrop).
   * `nearest`: the longer side is rounded, the crop's corner truncated. They differ by at most a pixel. @default 'torchvision'
   */
  rounding?: 'torchvision' | 'nearest';
  /** @default 'bilinear' */
  interpolation?: 'bilinear' | 'bicubic';
}

/**
 * Labelled images that are decoded when they are needed. `paths` identify images across machines (relative to the folder, `/`
 * as separator), fix their order and, by their hash, the half that an image belongs to.
 */
export interface LabelledImages {
  readonly name: string;
  readonly paths: readonly string[];
  /** The preprocessing that the images ask for; where absent, the model's. */
  readonly preset?: Preset;
  /** How the pixels are decoded where that is not the usual way, e.g. `exif`: part of the list's hash. */
  readonly decoding?: string;
  /** What the user should know of the list, a sentence each: files left out, how class folders are counted. */
  readonly notes?: readonly string[];
  /** The file that the labels were read from, so that a later run on the same images finds it. */
  readonly labelsFile?: string;
  /** The folder or file that they are read from, where it is one: nothing is written there. */
  readonly source?: string;
  /** How many images may be asked for at a time. @default 4 */
  readonly concurrency?: number;
  /**
   * Class index (the model's output index) of each image, for a model with `classes` outputs.
   * @throws InputError where it is unclear or beyond the outputs
   */
  labelsFor(classes: number): Int32Array;
  /** The file that an image is read from, or the part of one, where there is one: what two runs compare to notice a change. */
  sourceOf?(index: number): ImageSource | undefined;
  /** Names of the classes by class index, `class 7` where unknown. */
  classNamesFor(classes: number): string[];
  /**
   * Pixels of one image: RGB, [height, width, 3], 0..255. An image that already has this size is not touched; another is
   * resized to the shorter side and centre-cropped.
   * @throws UnreadableImageError where it cannot be decoded
   * @throws InputError that names the file, where it has another size and no shorter side is given
   */
  pixels(index: number, size: PixelSize): Promise<Uint8Array>;
  toString(): string;
}

/** An image that was left out. */
export interface SkippedImage {
  path: string;
  reason: string;
  /** Absent in what versions up to 0.1 recorded. */
  kind?: UnreadableKind;
}

/** One decoded, preprocessed batch. It covers `batchSize` consecutive images, the last one of a run fewer. */
export interface ImageBatch {
  /** Indices into `paths`, ascending; unreadable images are absent, so that there may be none. */
  indices: number[];
  /** [B, H, W, C] with B = indices.length, ready for the network. */
  pixels: Float32Array;
  shape: [number, number, number, number];
  /** Unreadable images that fell into this batch. */
  skipped: SkippedImage[];
  /** The image after the last one that the batch covers: where a resumed run continues. */
  next: number;
}
