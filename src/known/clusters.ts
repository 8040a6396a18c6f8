import {adjustedRandIndex} from '../numerics/agreement';
import {silhouette, sphericalClusters} from '../numerics/kmeans';
import {POSITIONS, shows, type KnownActivations} from './activations';
import type {Meanings} from './meanings';

/** Clusters of what makes one channel fire, found without labels. */
export interface ClusterScore {
  channel: number;
  /** Parts that the channel means. */
  parts: number;
  /** Adjusted Rand index of the clusters, as many as parts, with the part at each position; NaN for one part. */
  agreement: number;
  /** The number of clusters that the silhouette chooses, and its value for two. */
  chosen: number;
  silhouette: number;
}

/** Pictures that are clustered, at most. */
const MOST = 240;

/** The strongest position of a picture counts from this share of the channel's strong outputs on. */
const STRONG = 0.25;

const MOST_CLUSTERS = 5;

/**
 * k-means of the contribution vectors w ⊙ x at the strongest position of pictures, sampled evenly over the strata of the channel's output
 * and not from the top alone, which one part may fill.
 */
export function clusterScores(activations: KnownActivations, {parts: meanings}: Meanings): ClusterScore[] {
  return meanings.flatMap((meaning, channel): ClusterScore[] => {
    if (!meaning || meaning.length === 0) return [];
    const strongest = strongestPositions(activations, channel);
    if (strongest.length < 4 * meaning.length) return [];
    const vectors = strongest.map(({picture, position}) => contribution(activations, channel, picture, position));
    const truth = strongest.map(({picture, position}) =>
      meaning.findIndex((part) => shows(activations, picture, position, [part])),
    );
    const known = [...truth.keys()].filter((n) => truth[n] >= 0);
    const byCount = Array.from({length: MOST_CLUSTERS - 1}, (_, n) => {
      const {owners} = sphericalClusters(vectors, n + 2);
      return {owners, value: silhouette(vectors, owners)};
    });
    const best = byCount.reduce((a, b) => (b.value > a.value ? b : a));
    const own = meaning.length > 1 ? byCount[meaning.length - 2]?.owners : undefined;
    return [
      {
        channel,
        parts: meaning.length,
        agreement: own
          ? adjustedRandIndex(
              known.map((n) => truth[n]),
              known.map((n) => own[n]),
            )
          : NaN,
        chosen: byCount.indexOf(best) + 2,
        silhouette: byCount[0].value,
      },
    ];
  });
}

interface Place {
  picture: number;
  position: number;
  value: number;
}

function strongestPositions({labels, outputs, channels}: KnownActivations, channel: number): Place[] {
  const all: Place[] = [];
  for (let picture = 0; picture < labels.length; picture++) {
    let [position, value] = [0, -Infinity];
    for (let p = 0; p < POSITIONS; p++) {
      const z = outputs[(picture * POSITIONS + p) * channels.outputs + channel];
      if (z > value) [position, value] = [p, z];
    }
    if (value > 0) all.push({picture, position, value});
  }
  all.sort((a, b) => b.value - a.value);
  const top = all[Math.floor(0.02 * all.length)]?.value ?? 0;
  const strong = all.filter(({value}) => value >= STRONG * top);
  const count = Math.min(MOST, strong.length);
  return Array.from({length: count}, (_, n) => strong[Math.floor((n * strong.length) / count)]);
}

/** w ⊙ x, [Cin] */
function contribution(
  {inputs, kernel, channels}: KnownActivations,
  channel: number,
  picture: number,
  position: number,
): Float64Array {
  const row = (picture * POSITIONS + position) * channels.inputs;
  return Float64Array.from(
    {length: channels.inputs},
    (_, i) => kernel[i * channels.outputs + channel] * inputs[row + i],
  );
}
