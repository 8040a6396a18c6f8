export {
  ablate,
  type AblatedClass,
  type AblatedConcept,
  type AblateOptions,
  type AblationEffect,
  type SplitAblation,
} from './ablate';
export {activationMaps, type ActivationMap, type ActivationMaps, type ActivationMapsOptions} from './activationMaps';
export {densities, type Densities, type DensityCurve, type DensityOptions, type DensityRow} from './densities';
export {evaluateSplit, type EvaluateOptions} from './evaluateSplit';
export {randomSplit} from './randomSplit';
export {topImages, type SplitTopImages, type TopImage, type TopImagesOptions, type TopList} from './topImages';
export type {EvaluationOptions} from './layerPass';
export type {ConceptEvaluation, Fractions, SplitEvaluation} from './types';
