import {numberText, percentText} from '../common/numbers';
import {textTable} from '../common/textTable';
import {InputError} from '../common/errors';
import type {TierName} from './tiers';
import {distinctNegatives} from './summarize';
import type {NegativeKind, PlantedBenchmark} from './types';

/** How often a threshold γ on the cosine calls a channel polysemantic on a pair of classes. */
export interface DetectionRates {
  readonly kind: 'detection rates';
  layer: string;
  /** The tier whose plants are to be found. */
  tier: TierName;
  thresholds: {gamma: number; why: string}[];
  /** The plants first (the true-positive rate), then what ought not to be called (the false-positive rates). */
  rows: {of: string; count: number; rates: number[]}[];
  toString(): string;
}

/** Shares of plants that a γ is chosen to find. */
const FOUND = [0.5, 0.8, 0.95];

/**
 * True- and false-positive rates of the paper's criterion, cos(ARV1, ARV2) < γ, at γ = 0.5 and at the γ that find 50, 80 and 95 % of the
 * plants: on a natural channel relevant to both classes, on merges of channels that serve the same classes, on the unmerged source
 * channels, and on plants with shuffled labels.
 * @param options.gammas further γ
 * @throws InputError for a tier without plants of two concepts
 */
export function detectionRates(
  benchmark: Pick<PlantedBenchmark, 'layer' | 'rows' | 'negatives'>,
  {tier = 'dense', gammas = []}: {tier?: TierName; gammas?: readonly number[]} = {},
): DetectionRates {
  const plants = benchmark.rows.filter((row) => row.tier === tier && row.detection);
  if (plants.length === 0)
    throw new InputError(`the benchmark has no plants of two concepts in tier "${tier}"; run it with this tier`);
  const cosines = plants.map(({detection}) => -detection!.negativeCosine);
  const ascending = [...cosines].sort((a, b) => a - b);
  const thresholds = [
    {gamma: 0.5, why: 'the published γ'},
    ...gammas.map((gamma) => ({gamma, why: 'given'})),
    ...FOUND.map((share) => ({
      // Called is what lies below: just above the last plant that is to be found.
      gamma: ascending[Math.ceil(share * ascending.length) - 1] + 1e-9,
      why: `finds ${100 * share} % of the plants`,
    })),
  ];
  const row = (of: string, values: readonly number[]) => ({
    of,
    count: values.length,
    rates: thresholds.map(({gamma}) => values.filter((value) => value < gamma).length / values.length),
  });
  const negatives = (kind: NegativeKind) =>
    distinctNegatives(benchmark.negatives, kind).map((one) => -one.negativeCosine);
  const rows = [
    row('plants', cosines),
    row('natural channel relevant to both classes', negatives('natural')),
    row('merge of channels that serve the same classes', negatives('merge')),
    row('unmerged source channel', negatives('unmerged')),
    row(
      'plants, labels shuffled',
      plants.map(({detection}) => -detection!.permuted.negativeCosine),
    ),
  ].filter(({count}) => count > 0);
  const rates = {kind: 'detection rates' as const, layer: benchmark.layer, tier, thresholds, rows};
  return Object.defineProperty(rates, 'toString', {value: () => describeRates(rates), enumerable: false});
}

function describeRates({layer, tier, thresholds, rows}: Omit<DetectionRates, 'toString'>): string {
  const head = ['called polysemantic', 'count', ...thresholds.map(({gamma}) => `γ = ${numberText(gamma)}`)];
  const why = ['', '', ...thresholds.map((one) => one.why)];
  const body = rows.map(({of, count, rates}) => [of, String(count), ...rates.map((rate) => percentText(rate))]);
  return [`cos(ARV1, ARV2) < γ in layer ${layer}, plants of tier ${tier}`, ...textTable([head, why, ...body])].join(
    '\n',
  );
}
