/**
 * The planted benchmark's figures as the tables and plots of README.md in this folder:
 * `node --import tsx test/bench/plantedTables.ts [--out out/planted] [--plots FOLDER] [demo resnet20 mobilenet]`, after `planted.ts`.
 */
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {bestRule, detectionRates, pairedGain, type PlantedBenchmark} from '../../src/planted';
import {plusMinus} from '../../src/planted/describe';
import {saveFigure} from '../../src/report/show';
import type {Summary} from '../../src/numerics/summary';
import {plantedBars} from '../../src/plots';

const write = (text: string) => process.stdout.write(`${text}\n`);

/** Mean r of an independent study in PyTorch on natural sums, for the column that it has: its own plants, more images. */
const STUDY: Record<string, Record<string, string>> = {
  demo: {
    noSplit: '.540',
    random: '.522',
    published: '.879',
    gatedWiener: '.890',
    energyMatch: '.829',
    gatedRidge: '.891',
  },
  resnet20: {
    noSplit: '.695',
    random: '.547',
    published: '.538',
    gatedWiener: '.729',
    energyMatch: '.718',
    gatedRidge: '.737',
  },
  mobilenet: {
    noSplit: '.589',
    random: '.548',
    published: '.608',
    gatedWiener: '.691',
    energyMatch: '.783',
    gatedRidge: '.809',
  },
};

type Named = [string, PlantedBenchmark];

function table(title: string, results: readonly Named[], rows: [string, (one: Named) => string][]): void {
  write(
    `| ${title} | ${results.map(([, {model, zeroInputShare}]) => `${model.name}, ${(100 * zeroInputShare).toFixed(0)} % zeros`).join(' | ')} |`,
  );
  write(`|---${'|---'.repeat(results.length)}|`);
  for (const [name, cell] of rows) write(`| ${name} | ${results.map(cell).join(' | ')} |`);
  write('');
}

const tierOf = ({tiers}: PlantedBenchmark, name: string) => tiers.find(({tier}) => tier === name)!;
const signed = ({mean, interval, count}: Summary) =>
  `${mean < 0 ? '−' : '+'}${Math.abs(mean).toFixed(3)} ± ${((interval[1] - interval[0]) / 2).toFixed(3)} (${count})`;

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {out: {type: 'string', default: path.join(__dirname, '../../out/planted')}, plots: {type: 'string'}},
  });
  const names = positionals.length > 0 ? positionals : ['demo', 'resnet20', 'mobilenet'];
  const results: Named[] = [];
  for (const name of names) {
    results.push([
      name,
      JSON.parse(await readFile(path.join(values.out, name, 'result.json'), 'utf8')) as PlantedBenchmark,
    ]);
  }
  const rules = tierOf(results[0][1], 'dense').rules.map(({rule}) => rule);
  const dense = (one: PlantedBenchmark, rule: string) => tierOf(one, 'dense').rules.find((row) => row.rule === rule)!;
  const perRule = (cell: (one: Named, rule: string) => string): [string, (one: Named) => string][] =>
    rules.map((rule) => [rule, (one) => cell(one, rule)]);

  table(
    'r, natural sums (dense tier)',
    results,
    perRule(([name, one], rule) => {
      const study = STUDY[name]?.[rule];
      return `${plusMinus(dense(one, rule).r.two)}${study ? ` (${study})` : ''}`;
    }),
  );
  table(
    'R², natural sums',
    results,
    perRule(([, one], rule) => plusMinus(dense(one, rule).r2.two)),
  );
  table(
    'r, unseen classes',
    results,
    perRule(([, one], rule) => plusMinus(dense(one, rule).r.unseen)),
  );
  table(
    'r, unseen classes that a source serves',
    results,
    perRule(([, one], rule) => plusMinus(dense(one, rule).r.served)),
  );
  table('leak share (0.5: none apart)', results, [
    ['the true sources themselves', ([, one]) => plusMinus(tierOf(one, 'dense').trueLeakShare)],
    ...perRule(([, one], rule) => plusMinus(dense(one, rule).leakShare)),
  ]);
  for (const rule of ['scaledRidge', 'gatedRidge']) {
    const gain =
      (over: string, set: 'two' | 'unseen' | 'served') =>
      ([, one]: Named) =>
        signed(pairedGain(one, rule, over, {tier: 'dense', set}));
    table(`Paired gain of ${rule} in r, dense tier (plants)`, results, [
      ['over published, the two classes', gain('published', 'two')],
      ['over no split, the two classes', gain('noSplit', 'two')],
      ['over random, the two classes', gain('random', 'two')],
      [
        `over ${rule === 'gatedRidge' ? 'energyMatch' : 'gatedRidge'}, the two classes`,
        gain(rule === 'gatedRidge' ? 'energyMatch' : 'gatedRidge', 'two'),
      ],
      ['over no split, unseen classes', gain('noSplit', 'unseen')],
      ['over no split, unseen classes that a source serves', gain('noSplit', 'served')],
    ]);
  }
  const tiers = results.map(([, one]) => one.tiers.map(({tier}) => tier)).sort((a, b) => b.length - a.length)[0];
  const brief = ['noSplit', 'published', 'gatedRidge', 'scaledRidge'];
  table(
    `r by tier: ${brief.join(' / ')}`,
    results,
    tiers.map((tier) => [
      tier,
      ([, one]) => {
        const rows = one.tiers.find((row) => row.tier === tier)?.rules;
        return rows
          ? brief.map((rule) => rows.find((row) => row.rule === rule)!.r.two.mean.toFixed(2)).join(' / ')
          : '–';
      },
    ]),
  );
  table('Choosing a rule by planting', results, [
    ['best rule', ([, one]) => bestRule(one).rule],
    [
      'chosen by every other plant, measured on the rest',
      ([, one]) => {
        const {crossFitted} = bestRule(one);
        return crossFitted ? `${[...new Set(crossFitted.rules)].join(', ')}: ${plusMinus(crossFitted.r)}` : '–';
      },
    ],
    ['always scaledRidge', ([, one]) => plusMinus(dense(one, 'scaledRidge').r.two)],
    ['always gatedRidge', ([, one]) => plusMinus(dense(one, 'gatedRidge').r.two)],
  ]);
  table(
    'Relevant to both its classes in the network that really has it',
    results,
    tiers
      .filter((tier) => ['disjoint', 'dense'].includes(tier))
      .map((tier) => [tier, ([, one]) => tierOf(one, tier).candidates.mean.toFixed(2)]),
  );
  for (const score of ['negativeCosine', 'negativeLeak'] as const) {
    const kinds = results[0][1].detection.filter((row) => row.tier === 'dense' && row.score === score);
    table(
      `AUROC / average precision of ${score}, dense tier (positives, negatives)`,
      results,
      kinds.map(({against, pairs}) => [
        `against ${against}, ${pairs} class pairs`,
        ([, one]) => {
          const row = one.detection.find(
            (each) => each.tier === 'dense' && each.score === score && each.against === against && each.pairs === pairs,
          );
          return row
            ? `${row.auroc.toFixed(2)} / ${row.averagePrecision.toFixed(2)} (${row.positives}, ${row.negatives})`
            : '–';
        },
      ]),
    );
  }
  for (const [name, one] of results) {
    write(`${name}:\n${detectionRates(one)}\n`);
    if (values.plots === undefined) continue;
    const shown = {...one, tiers: one.tiers.filter(({tier}) => tier === 'disjoint' || tier === 'dense')};
    await saveFigure(plantedBars(shown), path.join(values.plots, `planted-${name}.svg`));
  }
}

void main();
