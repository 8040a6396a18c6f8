import type {PlantedBenchmark} from '../../planted/types';
import type {Summary} from '../../numerics/summary';
import {plantedBars} from '../../plots';
import {table, words, type View} from './view';

/** The planted benchmark: every rule's recovery beside the controls, by tier. */
export function plantedView(benchmark: PlantedBenchmark): View {
  const {model, layer, top1, zeroInputShare, tiers, detection, notes, images} = benchmark;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const rows = tiers.flatMap(({tier, plants, rules}) =>
    rules.map((rule, n) => [
      n === 0 ? tier : '',
      n === 0 ? plants : null,
      rule.rule,
      interval(rule.r.two),
      interval(rule.r2.two),
      interval(rule.r.pool),
      interval(rule.r.unseen),
      rule.leakShare.mean,
    ]),
  );
  const columns = [
    'tier',
    'plants',
    'rule',
    {title: 'r', hint: 'correlation of the parts with the planted sources, held-out images of the plant’s classes'},
    {title: 'R²', hint: 'without fitting a scale'},
    {title: 'r, other classes'},
    {title: 'r, unseen classes'},
    {
      title: 'leak',
      hint: 'share of a part’s activation on the other class: 0.5 is none apart',
      align: 'right' as const,
    },
  ];
  const detectionRows = detection.map(({tier, score, against, positives, negatives, auroc, averagePrecision}) => [
    tier,
    score === 'negativeCosine' ? '−cosine' : '−leak after a split',
    against,
    positives,
    negatives,
    auroc,
    averagePrecision,
  ]);
  return [
    words(
      `planted channels in ${layer} of ${model.name}`,
      `${images.heldOutCount} held-out images of ${images.classes} classes; top-1 ${percent(top1)}, ${percent(zeroInputShare)} of the layer's inputs are zero`,
      ...notes,
    ),
    {figure: plantedBars(benchmark)},
    table(columns, rows, {caption: 'recovery, 95 % interval of the mean over plants', limit: 80}),
    ...(detection.length > 0
      ? [
          table(['tier', 'score', 'against', 'plants', 'negatives', 'AUROC', 'average precision'], detectionRows, {
            caption: 'detection',
            limit: 40,
          }),
        ]
      : []),
  ];
}

function interval({mean, interval: [low, high]}: Summary): string {
  const text = (value: number) => value.toFixed(2).replace('-', '−');
  if (!Number.isFinite(mean)) return '–';
  return Number.isFinite(low) ? `${text(mean)} [${text(low)}, ${text(high)}]` : text(mean);
}
