export {backend, type BackendChoice} from './backend';
export {
  cifar10,
  imageFiles,
  imageFolder,
  imagesFromPixels,
  PRESETS,
  subset,
  type ImageFolderOptions,
  type LabelledImages,
  type Preset,
  type PresetOption,
} from './images';
export {ARCHITECTURES} from './models/architectures';
export {loadModel, type LoadModelOptions} from './models/load';
export {saveModel} from './models/save';
export type {LayerInfo, Model} from './models/types';
export {InputError, InterruptError} from './numerics/errors';
export type {LongCallOptions, ProgressListener, ProgressState} from './numerics/progress';
export {averagedRelevanceVector, zeroInputShare, type RelevanceStatistics} from './numerics/statistics';
export {collectRelevance, type CollectOptions} from './relevance/collect';
export {mergeStatistics} from './relevance/accumulate';
export {loadStatistics, saveStatistics} from './relevance/store';
export {findPolysemantic} from './concepts/find';
export type {
  CandidateChannel,
  ClassPair,
  Concept,
  FindOptions,
  PolysemanticChannel,
  PolysemanticChannels,
} from './concepts/types';
export {disentangle, type DisentangleOptions, type SplitTarget} from './split/disentangle';
export {SPLIT_RULES} from './split/rules';
export {loadSplit, saveSplit} from './split/store';
export type {RhoChoice, Split, SplitConcept, SplitProblem, SplitRule, SplitSolution} from './split/types';
export {verifySplit, type SplitProof, type VerifyOptions} from './split/verify';
