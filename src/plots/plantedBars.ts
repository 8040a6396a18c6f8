import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {PlantedScores} from './inputs';
import {counted, NUMBER_FORMAT, rounded} from './labels';
import {INK, PALE, SERIES} from './palette';

export interface PlantedBarsOptions {
  /** `r`: correlation of the parts with the planted sources; `r2`: share of their variance, without fitting a scale. @default 'r' */
  score?: 'r' | 'r2';
  /** Which images: held-out images of the plant's own classes, of a pool of others, of unseen classes. @default 'two' */
  images?: 'two' | 'pool' | 'unseen' | 'served';
}

/** What is no rule of its own: what a rule must beat, and the bound that no hard ownership can pass. */
const CONTROLS: ReadonlySet<string> = new Set(['noSplit', 'evenShares', 'random', 'byWeight', 'kMeans']);
const BOUND = 'trueOwners';

/** How well each rule recovers planted channels, beside the controls, a panel a tier; 95 % intervals of the mean over plants. */
export function plantedBars(
  {model, layer, tiers}: PlantedScores,
  {score = 'r', images = 'two'}: PlantedBarsOptions = {},
): Figure {
  const title = 'Recovery of planted channels';
  const what = score === 'r' ? 'correlation r with the planted source' : 'R² of the planted source';
  const panels = tiers.map(({tier, plants}) => `tier ${tier} (${counted(plants, 'plant')})`);
  const values = tiers.flatMap(({rules}, panel) =>
    rules.map((rule) => {
      const {mean, interval} = rule[score][images] ?? {mean: NaN, interval: [NaN, NaN]};
      return {
        tier: panels[panel],
        rule: rule.rule,
        kind: kindOf(rule.rule),
        value: rounded(mean),
        low: rounded(interval[0]),
        high: rounded(interval[1]),
      };
    }),
  );
  if (values.every(({value}) => value === null)) {
    return sentenceFigure(title, `No plant of layer ${layer} has a score on the ${images} images.`);
  }
  const names = [...new Set(values.map(({rule}) => rule))];
  const y = {field: 'rule', type: 'nominal' as const, sort: names, title: null, axis: {labelLimit: 170}};
  return {
    $schema: SCHEMA,
    title: figureTitle(title, `${model.name}, layer ${layer}; ${SETS[images]}; 95 % interval of the mean over plants`),
    data: {values},
    facet: {
      row: {
        field: 'tier',
        type: 'nominal',
        sort: panels,
        title: null,
        header: {labelAngle: 0, labelOrient: 'top', labelAnchor: 'start', labelFontWeight: 'bold'},
      },
    },
    spacing: 14,
    spec: {
      width: 380,
      height: {step: 17},
      layer: [
        {
          mark: {type: 'bar', clip: true},
          encoding: {
            y,
            x: {
              field: 'value',
              type: 'quantitative',
              title: what,
              scale: {domain: [Math.min(0, ...values.map(({value}) => Math.max(value ?? 0, -1))), 1]},
            },
            color: {
              field: 'kind',
              type: 'nominal',
              scale: {domain: ['rule', 'control', 'true owners'], range: [SERIES[0], PALE, SERIES[2]]},
              legend: {title: null, orient: 'bottom'},
            },
            tooltip: [
              {field: 'rule', type: 'nominal', title: 'rule'},
              {field: 'tier', type: 'nominal', title: 'on'},
              {field: 'value', type: 'quantitative', title: score === 'r' ? 'r' : 'R²', format: NUMBER_FORMAT},
              {field: 'low', type: 'quantitative', title: 'from', format: NUMBER_FORMAT},
              {field: 'high', type: 'quantitative', title: 'to', format: NUMBER_FORMAT},
            ],
          },
        },
        {
          mark: {type: 'rule', color: INK, clip: true, tooltip: null},
          encoding: {y, x: {field: 'low', type: 'quantitative'}, x2: {field: 'high'}},
        },
      ],
    },
  };
}

const SETS: Record<NonNullable<PlantedBarsOptions['images']>, string> = {
  two: 'held-out images of the plant’s own classes',
  pool: 'images of other classes',
  unseen: 'images of classes that no rule saw',
  served: 'images of other classes that one source serves',
};

function kindOf(rule: string): string {
  return rule === BOUND ? 'true owners' : CONTROLS.has(rule) ? 'control' : 'rule';
}
