import {fractionText, numberText, percentText} from '../common/numbers';
import type {Summary} from '../numerics/summary';
import {textTable} from '../common/textTable';
import type {ImageSet, PlantedBenchmark, RuleSummary, TierSummary} from './types';

/** `0.737 ± 0.014` */
export function plusMinus({mean, interval}: Summary): string {
  if (Number.isNaN(mean)) return '–';
  const half = (interval[1] - interval[0]) / 2;
  return Number.isNaN(half) ? fractionText(mean) : `${fractionText(mean)} ± ${fractionText(half)}`;
}

/** One column per tier, one row per rule. */
function byTier(tiers: readonly TierSummary[], title: string, cell: (rule: RuleSummary) => string): string[] {
  const rules = tiers[0].rules.map(({rule}) => rule);
  const rows = rules.map((name) => [name, ...tiers.map((tier) => cell(tier.rules.find(({rule}) => rule === name)!))]);
  return textTable([[title, ...tiers.map(({tier}) => tier)], ...rows]);
}

const SET_WORDS: Record<ImageSet, string> = {
  two: 'held-out images of the two (three) classes',
  pool: 'a pool of other classes',
  unseen: 'unseen classes',
  served: 'unseen classes that one source serves',
};

/** The benchmark as tables for a terminal. */
export function describeBenchmark(benchmark: Omit<PlantedBenchmark, 'toString'>): string {
  const {model, layer, images, tiers, detection, notes} = benchmark;
  const narrow = tiers.filter(({tier}) => ['disjoint', 'dense'].includes(tier));
  const shown = narrow.length > 0 ? narrow : tiers;
  const lines = [
    `planted benchmark of ${model.name}, layer ${layer}: ${percentText(benchmark.zeroInputShare)} of its inputs are zero, top-1 ${percentText(benchmark.top1, 1)}`,
    `${images.discoveryCount} discovery and ${images.heldOutCount} held-out images of ${images.classes} classes; tau ${benchmark.tau}, p ${benchmark.p}, seed ${benchmark.seed}`,
    `mean over plants ± half of the 95 % interval; ${tiers.map(({tier, plants}) => `${tier} ${plants}`).join(', ')} plants`,
    ...notes.map((note) => `note: ${note}`),
    '',
    ...byTier(tiers, `r, ${SET_WORDS.two}`, ({r}) => plusMinus(r.two)),
    '',
    ...byTier(shown, 'R²', ({r2}) => plusMinus(r2.two)),
  ];
  for (const set of ['pool', 'unseen', 'served'] as const) {
    lines.push('', ...byTier(shown, `r, ${SET_WORDS[set]}`, ({r}) => plusMinus(r[set])));
  }
  lines.push(
    '',
    ...byTier(shown, 'leak share (0.5: no split)', ({leakShare}) => plusMinus(leakShare)),
    ...shown.map(({tier, trueLeakShare}) => `the true sources' own leak share, ${tier}: ${plusMinus(trueLeakShare)}`),
    '',
    ...byTier(shown, 'edge accuracy / adjusted Rand index', ({edgeAccuracy, adjustedRandIndex}) =>
      [edgeAccuracy, adjustedRandIndex].map(({mean}) => fractionText(mean)).join(' / '),
    ),
    '',
    ...byTier(
      shown,
      'seconds / exactness',
      ({seconds, exactness}) => `${numberText(seconds.mean)} / ${numberText(exactness)}`,
    ),
    '',
    ...tiers.map(
      ({tier, candidates}) =>
        `relevant to all its classes in the modified network, ${tier}: ${percentText(candidates.mean)} of the plants`,
    ),
  );
  const tierNames = shown.map(({tier}) => tier);
  const detected = detection.filter(({tier}) => tierNames.includes(tier));
  if (detected.length > 0) {
    lines.push(
      '',
      ...textTable([
        ['detection', 'score', 'against', 'class pairs', 'plants', 'others', 'AUROC', 'AP', 'wins on the same pair'],
        ...detected.map((row) => [
          row.tier,
          row.score === 'negativeCosine' ? '−cos' : '−leak',
          row.against,
          row.pairs === 'same' ? 'the plants’' : 'any',
          String(row.positives),
          String(row.negatives),
          fractionText(row.auroc),
          fractionText(row.averagePrecision),
          plusMinus(row.wins),
        ]),
      ]),
    );
  }
  return lines.join('\n');
}
