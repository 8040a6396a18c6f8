import {meanInterval, type Summary} from '../../numerics/summary';
import {auroc, averagePrecision} from '../../numerics/ranking';
import {InputError} from '../../numerics/errors';
import {TIERS, type TierName} from './tiers';
import {
  IMAGE_SETS,
  type DetectionScores,
  type DetectionSummary,
  type ImageSet,
  type NegativeKind,
  type NegativeRow,
  type PlantedBenchmark,
  type PlantRow,
  type RuleScore,
  type RuleSummary,
  type TierSummary,
} from './types';

/** Means over the plants of each tier. */
export function summarizeTiers(rows: readonly PlantRow[]): TierSummary[] {
  return TIERS.map(({name}) => ({name, plants: rows.filter(({tier}) => tier === name)}))
    .filter(({plants}) => plants.length > 0)
    .map(({name, plants}) => ({
      tier: name,
      plants: plants.length,
      candidates: meanInterval(plants.map(({candidate}) => Number(candidate))),
      trueLeakShare: meanInterval(plants.map(({trueLeakShare}) => trueLeakShare)),
      rules: Object.keys(plants[0].rules).map((rule) => summarizeRule(rule, plants)),
    }));
}

function summarizeRule(rule: string, plants: readonly PlantRow[]): RuleSummary {
  const scores = plants.map(({rules}) => rules[rule]);
  const over = (of: (score: RuleScore) => number) =>
    meanInterval(scores.map(of).filter((value) => !Number.isNaN(value)));
  const bySet = (of: (score: RuleScore, set: ImageSet) => number) =>
    Object.fromEntries(IMAGE_SETS.map((set) => [set, over((score) => of(score, set))])) as Record<ImageSet, Summary>;
  return {
    rule,
    r: bySet((score, set) => score.r[set]),
    r2: bySet((score, set) => score.r2[set]),
    leakShare: over((score) => score.leakShare),
    edgeAccuracy: over((score) => score.edgeAccuracy),
    adjustedRandIndex: over((score) => score.adjustedRandIndex),
    exactness: Math.max(...scores.map((score) => score.exactness)),
    seconds: over((score) => score.seconds),
  };
}

/** Plants of each tier against each kind of negatives, by each score. */
export function summarizeDetection(rows: readonly PlantRow[], negatives: readonly NegativeRow[]): DetectionSummary[] {
  const kinds: NegativeKind[] = ['natural', 'merge', 'unmerged'];
  const scores: (keyof DetectionScores)[] = ['negativeCosine', 'negativeLeak'];
  const summaries: DetectionSummary[] = [];
  for (const {name} of TIERS) {
    const plants = rows.filter((row) => row.tier === name && row.detection);
    if (plants.length === 0) continue;
    for (const score of scores) {
      for (const kind of kinds) {
        const ofKind = negatives.filter((row) => row.kind === kind && plants.some(({plant}) => plant === row.plant));
        if (ofKind.length > 0) summaries.push(detectionSummary(name, score, kind, plants, ofKind));
      }
      const permuted = plants.map(({plant, detection}) => ({plant, channels: [plant], ...detection!.permuted}));
      summaries.push(detectionSummary(name, score, 'permuted', plants, permuted));
    }
  }
  return summaries;
}

function detectionSummary(
  tier: TierName,
  score: keyof DetectionScores,
  against: DetectionSummary['against'],
  plants: readonly PlantRow[],
  negatives: readonly (DetectionScores & {plant: number; channels: number[]})[],
): DetectionSummary {
  const classesOf = new Map(plants.map(({plant, classes}) => [plant, [...classes].sort((a, b) => a - b).join()]));
  // Two plants on one class pair have the same negatives, which count once.
  const distinct = new Map(
    negatives.map((row) => [`${row.channels.join()} on ${classesOf.get(row.plant)}`, row[score]] as const),
  );
  const positives = plants.map(({detection}) => detection![score]);
  const values = [...distinct.values()];
  const wins = plants.flatMap(({plant, detection}) => {
    const own = negatives.filter((row) => row.plant === plant).map((row) => row[score]);
    return own.length > 0 ? [auroc([detection![score]], own)] : [];
  });
  return {
    tier,
    score,
    against,
    positives: positives.length,
    negatives: values.length,
    auroc: auroc(positives, values),
    averagePrecision: averagePrecision(positives, values),
    wins: meanInterval(wins),
  };
}

/**
 * By how much one rule beats another on the same plants: mean difference and its 95 % interval.
 * @throws InputError for a tier or rule that the benchmark did not run
 */
export function pairedGain(
  benchmark: Pick<PlantedBenchmark, 'rows'>,
  rule: string,
  over: string,
  {tier, measure = 'r', set = 'two'}: {tier: TierName; measure?: 'r' | 'r2'; set?: ImageSet},
): Summary {
  const rows = benchmark.rows.filter((row) => row.tier === tier);
  if (rows.length === 0) throw new InputError(`the benchmark has no tier "${tier}"; run it with this tier`);
  for (const name of [rule, over]) {
    if (!rows[0].rules[name])
      throw new InputError(`the benchmark has no rule "${name}"; rules: ${Object.keys(rows[0].rules).join(', ')}`);
  }
  const gains = rows.map(({rules}) => rules[rule][measure][set] - rules[over][measure][set]);
  return meanInterval(gains.filter((gain) => !Number.isNaN(gain)));
}
