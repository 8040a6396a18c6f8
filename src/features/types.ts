import type {RgbImage} from '../images/resize';
import type {PresetOption} from '../images/types';
import type {LongCallOptions} from '../common/progress';
import type {Objective} from './objectives';
import type {Parametrisation} from './parametrisation';
import type {Transform} from './transforms';

/** Where an optimisation stands, with the image as it looks now. */
export interface FeaturePreview {
  /** Steps done so far, and in all. */
  step: number;
  steps: number;
  /** The objective on the images themselves, without transforms: mean over the batch. */
  value: number;
  /** One image a member of the batch. */
  images: RgbImage[];
  /** The objective in words. */
  text: string;
}

export interface VisualizeOptions extends LongCallOptions {
  /** Side of the square image in pixels, or [height, width]; other than the model's input only where the layers on the way allow it. @default the model's input */
  size?: number | readonly [height: number, width: number];
  /** @default 256 */
  steps?: number;
  /** Of Adam (Kingma and Ba 2015). @default 0.05 */
  learningRate?: number;
  /** Images optimised together, each from a start of its own: three of them are recognised more often than one. A `diversity` term keeps them apart. @default 1 */
  batch?: number;
  /** Fixes the first image and all draws. @default 0 */
  seed?: number;
  /** What the image is made of. @default `vignette()`; `fourier()` where the objective asks for one position */
  parametrisation?: Parametrisation;
  /** Views that the network sees the image through. @default `defaultTransforms` of the size; [] for none */
  transforms?: readonly Transform[];
  /** Views of each image a step: more of them make steadier steps, and slower ones. @default 1 */
  views?: number;
  /** How pixels become input. @default what the model was saved with */
  preset?: PresetOption;
  /** Called with the first image, then after every `previewEvery` steps and at the end; a notebook shows the image improving. */
  onStep?: (preview: FeaturePreview) => void;
  /** Steps between looks at the images themselves, from which the best is kept. @default 16 */
  previewEvery?: number;
}

/** An image that makes an objective great in a network. Plain data. */
export interface FeatureVisualization {
  readonly kind: 'feature';
  readonly model: string;
  readonly objective: Objective;
  /** The objective in words. */
  readonly text: string;
  /** RGB, [H, W, 3]: the first of `images`. */
  readonly image: RgbImage;
  /** The batch, at the best of the looks taken at it. */
  readonly images: RgbImage[];
  /** The objective on these images, without transforms: mean over the batch. */
  readonly value: number;
  /** The objective at each step as it was optimised, through that step's views. */
  readonly history: Float32Array;
  /** Looks at the images themselves. */
  readonly looks: {step: number; value: number}[];
  readonly seed: number;
  /** Steps done. */
  readonly steps: number;
  readonly seconds: number;
  /** Whether it was stopped before its time. */
  readonly interrupted: boolean;
  toString(): string;
}

/** The channel that was split and its parts, each as the image that makes it great. */
export interface SplitVisualization {
  readonly kind: 'split-features';
  readonly layer: string;
  readonly channel: number;
  readonly original: FeatureVisualization;
  /** One a concept, in the split's order; fewer where it was interrupted. */
  readonly parts: FeatureVisualization[];
  readonly residue?: FeatureVisualization;
  readonly interrupted: boolean;
  toString(): string;
}
