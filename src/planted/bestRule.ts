import {numberText, signedText} from '../common/numbers';
import {InputError} from '../common/errors';
import {meanInterval, type Summary} from '../numerics/summary';
import {mean} from '../numerics/vectors';
import {pairedGain} from './summarize';
import type {TierName} from './tiers';
import type {ImageSet, PlantedBenchmark} from './types';

/** Rules that only serve to hold others against. */
const CONTROLS = new Set(['noSplit', 'evenShares', 'random', 'byWeight', 'kMeans', 'trueOwners']);

/** Which rule suits a layer. */
export interface BestRule {
  readonly kind: 'best rule';
  layer: string;
  tier: TierName;
  set: ImageSet;
  rule: string;
  /** Its mean r, and by how much it beats each other rule and no split on the same plants: mean and 95 % interval. */
  r: Summary;
  gains: {over: string; gain: Summary}[];
  /**
   * What choosing in this way is worth: every other plant chooses a rule, which is measured on the plants between them, and the other
   * way round; so no plant is among those that chose. Undefined with one plant.
   */
  crossFitted?: {rules: [string, string]; r: Summary};
  toString(): string;
}

/**
 * The rule that recovers a layer's planted channels best. Plants are made of the layer's other channels, so that this tells which rule to
 * take for a channel whose meanings are not known.
 * @throws InputError for a tier that the benchmark did not run, or one without rules besides the controls
 */
export function bestRule(
  benchmark: Pick<PlantedBenchmark, 'layer' | 'rows' | 'tiers'>,
  {tier = 'dense', set = 'two'}: {tier?: TierName; set?: ImageSet} = {},
): BestRule {
  const summary = benchmark.tiers.find((one) => one.tier === tier);
  if (!summary) throw new InputError(`the benchmark has no tier "${tier}"; run it with this tier`);
  const rules = summary.rules.filter(({rule, r}) => !CONTROLS.has(rule) && !Number.isNaN(r[set].mean));
  if (rules.length === 0) throw new InputError(`the benchmark has no images of set "${set}"; choose another set`);
  const best = rules.reduce((a, b) => (b.r[set].mean > a.r[set].mean ? b : a));
  const others = [...rules.filter((one) => one !== best).map(({rule}) => rule), 'noSplit'];
  const found: Omit<BestRule, 'toString'> = {
    kind: 'best rule',
    layer: benchmark.layer,
    tier,
    set,
    rule: best.rule,
    r: best.r[set],
    ...crossFitted(
      benchmark,
      rules.map(({rule}) => rule),
      {tier, set},
    ),
    gains: others.map((over) => ({over, gain: pairedGain(benchmark, best.rule, over, {tier, set})})),
  };
  return Object.defineProperty(found, 'toString', {value: () => describeBest(found), enumerable: false}) as BestRule;
}

function crossFitted(
  {rows}: Pick<PlantedBenchmark, 'rows'>,
  rules: readonly string[],
  {tier, set}: {tier: TierName; set: ImageSet},
): Pick<BestRule, 'crossFitted'> {
  const plants = rows.filter((row) => row.tier === tier).map((row) => row.rules);
  const halves = [0, 1].map((odd) => plants.filter((_, n) => n % 2 === odd));
  if (halves[1].length === 0) return {};
  const recovery = (half: typeof plants, rule: string) =>
    half.map((scores) => scores[rule].r[set]).filter(Number.isFinite);
  const chosen = halves.map((half) =>
    rules.reduce((a, b) => (mean(recovery(half, b)) > mean(recovery(half, a)) ? b : a)),
  ) as [string, string];
  const values = halves.flatMap((half, n) => recovery(half, chosen[1 - n]));
  return {crossFitted: {rules: chosen, r: meanInterval(values)}};
}

function describeBest({layer, tier, rule, r, gains, crossFitted}: Omit<BestRule, 'toString'>): string {
  const lines = gains.map(({over, gain}) => {
    const [low, high] = gain.interval.map(signedText);
    return `  over ${over}: ${signedText(gain.mean)} [${low}, ${high}]`;
  });
  return [
    `layer ${layer}, tier ${tier}: ${rule} recovers the sources best (r ${numberText(r.mean)})`,
    ...lines,
    ...(crossFitted
      ? [`  the same choice on half of the plants, measured on the other half: r ${numberText(crossFitted.r.mean)}`]
      : []),
  ].join('\n');
}
