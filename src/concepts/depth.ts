import {fractionText} from '../common/numbers';
import {InputError} from '../common/errors';
import {readable} from '../common/readable';
import type {RelevanceStatistics} from '../numerics/statistics';
import {findPolysemantic} from './find';
import type {FindOptions, VectorKind} from './types';

/** One layer: how many of its channels are what. */
export interface LayerAtDepth {
  layer: string;
  /** Channels, and the share from which one is important. */
  channels: number;
  tau: number;
  /** Channels that are relevant to at least two classes: polysemantic ones, ones of which some pair is undecided and none different, the others. */
  relevant: number;
  polysemantic: number;
  undecided: number;
  /** The median cosine of the decided pairs; NaN where there is none. */
  medianCosine: number;
}

/** Polysemantic channels by layer, in the network's order. */
export interface PolysemanticityByDepth {
  readonly kind: 'polysemanticity by depth';
  model: string;
  p: number;
  gamma: number;
  arv: VectorKind;
  layers: LayerAtDepth[];
  toString(): string;
}

/**
 * How many channels of each layer are relevant to several classes, and polysemantic, from the statistics of several layers of one network
 * (`collectLayers`).
 * @param statistics by layer, or a list; the order is kept
 * @param options.tau share from which a channel is important. @default 2 / channels in each layer, twice an equal share, since layers differ in width
 * @throws InputError for no statistics or those of several networks; as `findPolysemantic`
 */
export function polysemanticityByDepth(
  statistics: Readonly<Record<string, RelevanceStatistics>> | readonly RelevanceStatistics[],
  {tau, p = 0.75, gamma = 0.5, arv}: Omit<FindOptions, 'allPairs'> = {},
): PolysemanticityByDepth {
  const all: readonly RelevanceStatistics[] = Object.values(statistics);
  if (all.length === 0)
    throw new InputError('no statistics; give those of the layers, as collectLayers(…) returns them');
  const other = all.find(({model}) => model.hash !== all[0].model.hash);
  if (other) {
    throw new InputError(
      `the statistics are of two networks (${all[0].model.name} and ${other.model.name}, ${all[0].layer.name} and ${other.layer.name}); give the layers of one`,
    );
  }
  let kind: VectorKind = 'published';
  const layers = all.map((stats): LayerAtDepth => {
    const channels = stats.layer.shape[3];
    const least = Math.min(tau ?? Math.max(2 / channels, stats.shares.floor), 1);
    const found = findPolysemantic(stats, {tau: least, p, gamma, arv});
    kind = found.thresholds.arv;
    const different = new Set(found.map(({channel}) => channel));
    const open = new Set(found.undecided.map(({channel}) => channel).filter((channel) => !different.has(channel)));
    const {cosines} = found;
    return {
      layer: stats.layer.name,
      channels,
      tau: least,
      relevant: found.candidates.length,
      polysemantic: different.size,
      undecided: open.size,
      medianCosine: cosines.length > 0 ? cosines[Math.floor(cosines.length / 2)] : NaN,
    };
  });
  const result: Omit<PolysemanticityByDepth, 'toString'> = {
    kind: 'polysemanticity by depth',
    model: all[0].model.name,
    p,
    gamma,
    arv: kind,
    layers,
  };
  return readable(result, describeDepth);
}

function describeDepth({model, layers, p, gamma, arv}: Omit<PolysemanticityByDepth, 'toString'>): string {
  const width = Math.max(...layers.map(({layer}) => layer.length));
  const lines = layers.map(
    ({layer, channels, relevant, polysemantic, undecided, medianCosine}) =>
      `  ${layer.padEnd(width)}  ${polysemantic} polysemantic, ${undecided} undecided of ${relevant} relevant to several classes, of ${channels} channels` +
      (Number.isNaN(medianCosine) ? '' : `; median cosine ${fractionText(medianCosine)}`),
  );
  return [`${model}, ${layers.length} layers, input to output (p ${p}, γ ${gamma}, ${arv} vectors):`, ...lines].join(
    '\n',
  );
}
