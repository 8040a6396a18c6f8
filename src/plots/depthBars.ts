import type {PolysemanticityByDepth} from '../concepts/depth';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import {cosineWords, NUMBER_FORMAT, rounded} from './labels';
import {MARK, NO_CONCEPT, PALE} from './palette';

const KINDS = ['polysemantic', 'undecided', 'one meaning'] as const;

/** The share of each layer's channels that are relevant to several classes, divided into what was found of them, input to output. */
export function depthBars({model, p, gamma, arv, layers}: Omit<PolysemanticityByDepth, 'toString'>): Figure {
  const title = 'Polysemantic channels by depth';
  if (layers.every(({relevant}) => relevant === 0)) {
    return sentenceFigure(title, `No channel of ${layers.length} layers of ${model} is relevant to two classes.`);
  }
  const values = layers.flatMap(({layer, channels, relevant, polysemantic, undecided, medianCosine, tau}) =>
    [polysemantic, undecided, relevant - polysemantic - undecided].map((count, n) => ({
      layer,
      kind: KINDS[n],
      order: n,
      count,
      channels,
      share: rounded(count / channels),
      tau: rounded(tau),
      cosine: rounded(medianCosine),
    })),
  );
  return {
    $schema: SCHEMA,
    title: figureTitle(title, `${model}: channels relevant to several classes; p ${p}, γ ${gamma}`, cosineWords(arv)),
    width: {step: 24},
    height: 200,
    data: {values},
    mark: {type: 'bar'},
    encoding: {
      x: {
        field: 'layer',
        type: 'nominal',
        sort: layers.map(({layer}) => layer),
        title: null,
        axis: {labelAngle: -60, labelLimit: 130},
      },
      y: {field: 'share', type: 'quantitative', title: 'share of the layer’s channels', axis: {format: '%'}},
      color: {
        field: 'kind',
        type: 'nominal',
        scale: {domain: [...KINDS], range: [MARK, NO_CONCEPT, PALE]},
        legend: {title: null, orient: 'bottom'},
      },
      order: {field: 'order', type: 'quantitative'},
      tooltip: [
        {field: 'layer', type: 'nominal', title: 'layer'},
        {field: 'kind', type: 'nominal', title: 'channels'},
        {field: 'count', type: 'quantitative', title: 'number'},
        {field: 'channels', type: 'quantitative', title: 'of'},
        {field: 'tau', type: 'quantitative', title: 'τ', format: NUMBER_FORMAT},
        {field: 'cosine', type: 'quantitative', title: 'median cosine', format: NUMBER_FORMAT},
      ],
    },
  };
}
