export {
  channel,
  describeObjective,
  diversity,
  logit,
  logProbability,
  minus,
  neuron,
  ofSplit,
  plus,
  times,
  weightVector,
} from './objectives';
export type {Objective, Where} from './objectives';
export {fourier, pixels, type FourierOptions, type Parametrisation, type PixelOptions} from './parametrisation';
export {accentuation, imageAt, type AccentuationOptions} from './accentuation';
export {maco, type MacoOptions} from './maco';
export {DEMO_SPECTRUM, imageSpectrum, type Spectrum, type SpectrumOptions} from './spectrum';
export {vignette, type VignetteOptions} from './vignette';
export {jitter, pad, rotate, scale, type Transform} from './transforms';
export {defaultTransforms} from './defaults';
export {DivergedError} from './diverged';
export {visualizeFeature, visualizeSplit, type VisualizeSplitOptions} from './visualize';
export type {FeaturePreview, FeatureVisualization, SplitVisualization, VisualizeOptions} from './types';
