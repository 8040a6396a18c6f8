export {ablate, type AblateOptions} from './ablate';
export {activationMaps, type ActivationMap, type ActivationMaps, type ActivationMapsOptions} from './activationMaps';
export {ablationNotes} from './describeAblation';
export {densities, type Densities, type DensityCurve, type DensityOptions, type DensityRow} from './densities';
export {evaluateSplit, type EvaluateOptions} from './evaluateSplit';
export {channelPeaks, type Peak, type PeakOptions} from './peaks';
export {randomSplit} from './randomSplit';
export {topImages, type SplitTopImages, type TopImage, type TopImagesOptions, type TopList} from './topImages';
export type {EvaluationOptions} from './layerPass';
export type {
  AblatedClass,
  AblatedConcept,
  AblationEffect,
  ConceptEvaluation,
  Fractions,
  ImageFractions,
  SplitAblation,
  SplitEvaluation,
} from './types';
export {verdictsOf, type PartOutcome, type PartVerdict} from './verdict';
