import {intervalText, percentText} from '../../common/numbers';
import type {PlantedBenchmark} from '../../planted/types';
import {plantedBars} from '../../plots';
import {table, words, type View} from './view';

/** The planted benchmark: every rule's recovery beside the controls, by tier. */
export function plantedView(benchmark: PlantedBenchmark): View {
  const {model, layer, top1, zeroInputShare, tiers, detection, notes, images} = benchmark;
  const rows = tiers.flatMap(({tier, plants, rules}) =>
    rules.map((rule, n) => [
      n === 0 ? tier : '',
      n === 0 ? plants : null,
      rule.rule,
      intervalText(rule.r.two),
      intervalText(rule.r2.two),
      intervalText(rule.r.pool),
      intervalText(rule.r.unseen),
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
  const detectionRows = detection.map(
    ({tier, score, against, pairs, positives, negatives, auroc, averagePrecision}) => [
      tier,
      score === 'negativeCosine' ? '−cosine' : '−leak after a split',
      against,
      pairs === 'same' ? 'the plants’' : 'any',
      positives,
      negatives,
      auroc,
      averagePrecision,
    ],
  );
  return [
    words(
      `planted channels in ${layer} of ${model.name}`,
      `${images.heldOutCount} held-out images of ${images.classes} classes; top-1 ${percentText(top1)}, ${percentText(zeroInputShare)} of the layer's inputs are zero`,
      ...notes,
    ),
    {figure: plantedBars(benchmark)},
    table(columns, rows, {caption: 'recovery, 95 % interval of the mean over plants', limit: 80}),
    ...(detection.length > 0
      ? [
          table(
            ['tier', 'score', 'against', 'class pairs', 'plants', 'negatives', 'AUROC', 'average precision'],
            detectionRows,
            {
              caption: 'detection',
              limit: 40,
            },
          ),
        ]
      : []),
  ];
}
