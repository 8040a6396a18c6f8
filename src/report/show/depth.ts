import type {PolysemanticityByDepth} from '../../concepts/depth';
import {depthBars} from '../../plots';
import {table, type View} from './view';

/** What the layers of a network hold, input to output. */
export function depthView(depth: PolysemanticityByDepth): View {
  const rows = depth.layers.map(({layer, channels, tau, relevant, polysemantic, undecided, medianCosine}) => [
    ...[layer, channels, tau, relevant, polysemantic, undecided],
    Number.isNaN(medianCosine) ? null : medianCosine,
  ]);
  const columns = [
    'layer',
    'channels',
    {title: 'τ', hint: 'share of relevance from which a channel is important for an image'},
    {title: 'relevant', hint: 'channels that are relevant to at least two classes'},
    {title: 'polysemantic', hint: 'of these, with a pair of classes below γ'},
    {title: 'undecided', hint: 'of these, with no pair below γ, and one of which the halves of the images disagree'},
    {title: 'median cosine', hint: 'of the decided pairs'},
  ];
  return [{figure: depthBars(depth)}, table(columns, rows, {limit: 80})];
}
