import {meanInterval, type Summary} from '../numerics/summary';
import {auroc, averagePrecision} from '../numerics/ranking';
import {InputError} from '../common/errors';
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
    const ownPairs = new Set(plants.map(pairKey));
    const permuted = plants.map(({channels, classes, detection}) => ({channels, classes, ...detection!.permuted}));
    for (const score of scores) {
      const add = (against: DetectionSummary['against'], pairs: 'same' | 'any', others: readonly Scored[]) => {
        if (others.length > 0) summaries.push(detectionSummary({tier: name, score, against, pairs}, plants, others));
      };
      for (const kind of kinds) {
        const ofKind = distinctNegatives(negatives, kind);
        add(
          kind,
          'same',
          ofKind.filter((row) => ownPairs.has(pairKey(row))),
        );
        // The sources of a plant say nothing about another one's classes.
        if (kind !== 'unmerged') add(kind, 'any', ofKind);
      }
      add('permuted', 'same', permuted);
    }
  }
  return summaries;
}

type Scored = DetectionScores & {channels: number[]; classes: number[]};

/** A class pair, whichever class is named first. */
const pairKey = ({classes}: {classes: readonly number[]}) => [...classes].sort((a, b) => a - b).join();

/** Negatives of a kind, each once, though several plants may be on its class pair. */
export function distinctNegatives(negatives: readonly NegativeRow[], kind: NegativeKind): NegativeRow[] {
  const ofKind = negatives.filter((row) => row.kind === kind);
  return [...new Map(ofKind.map((row) => [`${row.channels.join()} on ${pairKey(row)}`, row])).values()];
}

function detectionSummary(
  about: Pick<DetectionSummary, 'tier' | 'score' | 'against' | 'pairs'>,
  plants: readonly PlantRow[],
  negatives: readonly Scored[],
): DetectionSummary {
  const {score, against} = about;
  const positives = plants.map(({detection}) => detection![score]);
  const values = negatives.map((row) => row[score]);
  const wins = plants.flatMap((plant) => {
    const own = negatives
      .filter((row) => pairKey(row) === pairKey(plant))
      // Of the unmerged and permuted ones on a class pair, only the plant's own.
      .filter(
        (row) => against === 'natural' || against === 'merge' || row.channels.every((c) => plant.channels.includes(c)),
      )
      .map((row) => row[score]);
    return own.length > 0 ? [auroc([plant.detection![score]], own)] : [];
  });
  return {
    ...about,
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
