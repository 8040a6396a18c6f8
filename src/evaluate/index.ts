export {evaluateSplit, type EvaluateOptions} from './evaluateSplit';
export {randomSplit} from './randomSplit';
export type {EvaluationOptions} from './layerPass';
export type {ConceptEvaluation, Fractions, SplitEvaluation} from './types';
