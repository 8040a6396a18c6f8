import './kernel/start';
export {backend, type BackendChoice} from './engine';
export {doctor, setupEngine} from './setup';
export {
  cifar10,
  imageFiles,
  imageFolder,
  imageList,
  imagesFromPixels,
  openImages,
  PRESETS,
  choosePreset,
  subset,
  tarImages,
  type ImageFolderOptions,
  type ImageListOptions,
  type LabelledImages,
  type Preset,
  type PresetOption,
} from './images';
export {ARCHITECTURE_INFO as ARCHITECTURES, type ArchitectureInfo} from './formats/architectures';
export {loadModel, type LoadModelOptions} from './formats/load';
export {modelFrom} from './formats/modelFrom';
export {saveModel} from './formats/save';
export {saveTorchSplit} from './split/torchSplit';
export {saveOnnx} from './formats/onnx';
export type {LayerInfo, Model} from './network/types';
export {InputError, InterruptError} from './common/errors';
export type {LongCallOptions, ProgressListener, ProgressState} from './common/progress';
export {classSimilarities, relevanceVectors} from './concepts/matrices';
export {similarityMap} from './plots/similarityMap';
export {averagedRelevanceVector, zeroInputShare, type RelevanceStatistics} from './numerics/statistics';
export {collectRelevance} from './relevance/collect';
export {collectLayers} from './relevance/layers';
export type {CollectLayersOptions, CollectOptions} from './relevance/options';
export {mergeShards} from './relevance/shards';
export {
  actGrad,
  compareAttributions,
  gradCam,
  integratedGradients,
  lrp,
  smoothGrad,
  type AttributionComparison,
  type CompareOptions,
  type LrpOptions,
} from './pass/attribution';
export {predict, type Predictions} from './pass/predict';
export {predictedLabels, type PredictedLabelsOptions} from './pass/predictedLabels';
export {passProfile, type PassProfile} from './pass/profile';
export {runPass, type PassOptions} from './pass/runPass';
export type {Attribution, Collector, LayerBatch} from './pass/types';
export {submitCollect, type SubmitOptions} from './cluster/submit';
export {kubernetesJobs, type KubernetesOptions} from './cluster/kubernetes';
export {mergeStatistics} from './relevance/merge';
export {loadStatistics, saveStatistics} from './relevance/store';
export {polysemanticityByDepth, type PolysemanticityByDepth} from './concepts/depth';
export {channelConcepts, findPolysemantic} from './concepts/find';
export type {FalseCalls} from './concepts/falseCalls';
export {suggestThresholds, type SuggestedThresholds} from './concepts/thresholds';
export {
  CODES as KNOWN_CODES,
  KNOWN_KINDS,
  KNOWN_LAYER,
  PARTS as KNOWN_PARTS,
  knownImages,
  knownNetwork,
  runKnownBenchmark,
  type KnownBenchmark,
  type KnownKind,
} from './known';
export {gatedVectors, type GatedVectors} from './numerics/gated';
export type {
  CandidateChannel,
  ClassPair,
  Concept,
  FindOptions,
  PolysemanticChannel,
  PolysemanticChannels,
  VectorKind,
} from './concepts/types';
export {activationMaps, type ActivationMaps} from './evaluate';
export {
  discoverConcepts,
  type DiscoveredConcept,
  type DiscoveredConcepts,
  type DiscoverOptions,
  type Exemplar,
} from './split/discover';
export {severalMeanings, type SeveralMeanings} from './numerics/severalMeanings';
export {disentangle, type DisentangleOptions, type SplitTarget} from './split/disentangle';
export {SPLIT_RULES} from './split/rules';
export {loadSplit, saveSplit} from './split/store';
export type {RhoChoice, Split, SplitConcept, SplitProblem, SplitRule, SplitSolution} from './split/types';
export {verifySplit, type SplitProof, type VerifyOptions} from './split/verify';
export {
  ablate,
  densities,
  evaluateSplit,
  randomSplit,
  topImages,
  type AblateOptions,
  type Densities,
  type EvaluateOptions,
  type SplitAblation,
  type SplitEvaluation,
  type SplitTopImages,
  type TopImagesOptions,
} from './evaluate';
export {
  scoreSplit,
  type ChannelScore,
  type PartScores,
  type ScoreOptions,
  type SplitScores,
} from './evaluate/scoreSplit';
export * as features from './features';
export {
  visualizeFeature,
  visualizeSplit,
  type FeatureVisualization,
  type SplitVisualization,
  type VisualizeOptions,
} from './features';
export {demo, DEMO_CLASSES, demoImages, demoPicture, type Demo, type DemoOptions} from './demo';
export {
  bestRule,
  runPlantedBenchmark,
  type BestRule,
  type PlantedBenchmark,
  type PlantedImages,
  type PlantedOptions,
} from './planted';
export {explore, explorePage, type Exploration, type ExploreOptions} from './explore';
export {
  livePreview,
  resultPage,
  saveFigure,
  show,
  teaser,
  topImagesGallery,
  type PageSection,
  type SaveOptions,
  type ShowOptions,
  type Teaser,
  type TeaserOptions,
} from './report/show';
export {choice, controls, slider, toggle} from './kernel/comms';
export * as paper from './report/reproduction';
export {channelDescriptions, type ChannelDescriptions} from './report/descriptions';
export {plots, type SavableFigure} from './report/plots';
export type {
  AblationBarsOptions,
  CandidateScatterOptions,
  Figure,
  FractionBarsOptions,
  PlantedBarsOptions,
  RelevanceMapOptions,
  SimilarityOptions,
  SourcesPlotOptions,
} from './plots';
