export {bestRule, type BestRule} from './bestRule';
export {detectionRates, type DetectionRates} from './detectionRates';
export {randomCrops, type RandomCropOptions} from './randomCrops';
export {runPlantedBenchmark} from './run';
export {pairedGain} from './summarize';
export {TIERS, type Tier, type TierName} from './tiers';
export type {
  DetectionSummary,
  ImageSet,
  PlantedBenchmark,
  PlantedImages,
  PlantedOptions,
  PlantRow,
  RuleScore,
  RuleSummary,
  TierSummary,
} from './types';
