import {numberText} from '../common/numbers';
import {mean} from '../numerics/vectors';
import {meanInterval} from '../numerics/summary';
import {MEASURES, type KnownRow} from './row';
import type {KnownBenchmark} from './run';

/** Tables as Markdown: one row per kind of network, means over seeds with 95 % intervals where there are two or more. */
export function describeKnown({rows, perClass}: Pick<KnownBenchmark, 'rows' | 'perClass'>): string {
  const kinds = [...new Set(rows.map(({kind}) => kind))];
  const of = (kind: string) => rows.filter((row) => row.kind === kind);
  const seeds = [...new Set(rows.map(({seed}) => seed))].sort((a, b) => a - b);
  const detection = kinds.flatMap((kind) =>
    (['published', 'gated'] as const).map((vectors) => {
      const over = (pick: (scores: KnownRow['detection'][number]) => number) =>
        cell(of(kind).map(({detection}) => pick(detection.find((one) => one.vectors === vectors)!)));
      return [
        kind,
        vectors,
        over(({auroc}) => auroc),
        over(({decidedAuroc}) => decidedAuroc),
        over(({relevantAuroc}) => relevantAuroc),
        over(({usual}) => usual.found),
        over(({usual}) => usual.false),
        over(({confirmed}) => confirmed.false),
        over(({relevant}) => relevant.found),
        over(({relevant}) => relevant.false),
        over(({usual}) => usual.permuted),
        over(({suggested}) => suggested.gamma),
        over(({suggested}) => suggested.found),
        over(({suggested}) => suggested.false),
        over(({suggested}) => suggested.permuted),
        over(({suggested}) => suggested.estimate),
        over(({halves}) => halves),
        over(({usual}) => usual.undecided),
        over(({channelAuroc}) => channelAuroc),
      ];
    }),
  );
  // A share of the output of classes for which a channel hardly fires may be any number, so that channels are summed up by their median.
  const over = (what: string) => (what.startsWith('removed') ? median : mean);
  const rules = [...new Set(rows.flatMap(({splitting}) => splitting.map(({rule}) => rule)))];
  const confirmed = (row: KnownRow) => (one: {channel: number}) => row.confirmed[one.channel];
  const splitting = (what: 'ownVersusOther' | 'r' | 'removedOwn' | 'removedOther', confirmedOnly = false) =>
    rules.map((rule) => [
      rule,
      ...kinds.map((kind) =>
        cell(
          of(kind).map((row) => {
            const own = row.splitting.filter((one) => one.rule === rule && (!confirmedOnly || confirmed(row)(one)));
            return over(what)(own.map((one) => one[what]));
          }),
        ),
      ),
    ]);
  const clusters = kinds.map((kind) => {
    const agreements = (row: KnownRow, way: 'agreement' | 'alone' = 'agreement') =>
      row.clusters.map((score) => score[way]).filter(Number.isFinite);
    const sure = (row: KnownRow) => agreements({...row, clusters: row.clusters.filter(confirmed(row))});
    const right = (row: KnownRow) =>
      mean(row.clusters.filter(({parts}) => parts > 1).map(({chosen, parts}) => Number(chosen === parts)));
    return [
      kind,
      cell(of(kind).map((row) => mean(agreements(row)))),
      cell(of(kind).map((row) => Math.min(...agreements(row)))),
      cell(of(kind).map((row) => mean(sure(row)))),
      cell(of(kind).map((row) => Math.min(...sure(row)))),
      cell(of(kind).map((row) => mean(agreements(row, 'alone')))),
      cell(of(kind).map(right)),
      ...MEASURES.map((measure) => cell(of(kind).map(({severalAuroc}) => severalAuroc[measure]))),
    ];
  });
  const about = kinds.map((kind) => [
    kind,
    String(of(kind).length),
    cell(of(kind).map((row) => row.topOne)),
    cell(of(kind).map((row) => row.zeroInputs)),
    cell(of(kind).map((row) => row.detection[0].pairs.different)),
    cell(of(kind).map((row) => row.detection[0].pairs.same)),
  ]);
  return [
    `known networks, seeds ${seeds.join(', ')}; ${perClass} pictures per class to collect and to fit on, as many others to measure on`,
    table(['network', 'seeds', 'top-1', 'zero inputs', 'different pairs', 'same pairs'], about),
    'Detection: pairs of classes with different parts of a channel against pairs with the same part',
    table(
      [
        'network',
        'vectors',
        'AUROC',
        'AUROC, decided',
        'AUROC, τ and p',
        'found, γ .5',
        'false, γ .5',
        'false, confirmed',
        'found, τ and p',
        'false, τ and p',
        'permuted, γ .5',
        'γ suggested',
        'found',
        'false',
        'permuted',
        'permuted, estimated',
        'halves alike, γ .5',
        'undecided',
        'channels, AUROC',
      ],
      detection,
    ),
    'Splitting: own part against other part, AUROC by position',
    table(['rule', ...kinds], splitting('ownVersusOther')),
    'of channels for which measurement confirms what they were trained for',
    table(['rule', ...kinds], splitting('ownVersusOther', true)),
    'Correlation with the true part',
    table(['rule', ...kinds], splitting('r')),
    "Share of the channel's output that is gone when a part is removed: on its own classes",
    table(['rule', ...kinds], splitting('removedOwn')),
    'and on the classes of the other parts',
    table(['rule', ...kinds], splitting('removedOther')),
    'Without labels: clusters of contributions',
    table(
      [
        'network',
        'adjusted Rand',
        'worst channel',
        'confirmed channels',
        'their worst',
        'without predictions',
        'right number',
        ...MEASURES.map((measure) => `${measure}, AUROC`),
      ],
      clusters,
    ),
  ].join('\n\n');
}

/** 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom; a normal interval of so few seeds would be too narrow. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** The mean, and half the width of its 95 % interval. */
function cell(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return '–';
  const {mean: centre, std, count} = meanInterval(finite);
  if (count < 2) return numberText(round(centre));
  const half = ((STUDENT[count - 2] ?? 1.96) * std) / Math.sqrt(count);
  return `${numberText(round(centre))} ± ${numberText(round(half))}`;
}

const round = (value: number) => Math.round(1000 * value) / 1000;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
