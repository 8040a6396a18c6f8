import {adjustedRandIndex} from '../numerics/agreement';
import {sphericalClusters, silhouette} from '../numerics/kmeans';
import {severalMeanings, type SeveralMeanings} from '../numerics/severalMeanings';
import {CLUSTER_COUNTS, clusteredVectors, sampleStrata} from '../split/discover';
import {POSITIONS, shows, type KnownActivations} from './activations';
import type {Meanings} from './meanings';

/** Clusters of what makes one channel fire, found as `discoverConcepts` does, without labels; and what speaks for two groups against one. */
export interface ClusterScore extends SeveralMeanings {
  channel: number;
  /** Parts that the channel means. */
  parts: number;
  /** Adjusted Rand index of the clusters, as many as parts, with the part at each position; NaN for one part. */
  agreement: number;
  /** The same of contributions that were not drawn towards those of images of one predicted class. */
  alone: number;
  /** The number of clusters that the silhouette chooses. */
  chosen: number;
}

/** A sample of fewer positions says nothing of clusters. */
const LEAST = 16;

export function clusterScores(activations: KnownActivations, {parts: meanings}: Meanings): ClusterScore[] {
  return meanings.flatMap((meaning, channel): ClusterScore[] => {
    if (!meaning || meaning.length === 0) return [];
    const sample = sampleStrata(strongestPlaces(activations, channel));
    if (sample.length < LEAST) return [];
    const read = sample.map(({contribution}) => contribution);
    const [alone, drawn] = [clusteredVectors(sample, false), clusteredVectors(sample, true)];
    const owners = CLUSTER_COUNTS.map((count) => sphericalClusters(drawn, count).owners);
    const values = owners.map((own) => silhouette(read, own));
    const truth = sample.map(({picture, position}) =>
      meaning.findIndex((part) => shows(activations, picture, position, [part])),
    );
    const known = [...truth.keys()].filter((n) => truth[n] >= 0);
    const agreement = (own: ArrayLike<number>) =>
      adjustedRandIndex(
        known.map((n) => truth[n]),
        known.map((n) => own[n]),
      );
    const several = meaning.length > 1;
    const wanted = owners[CLUSTER_COUNTS.indexOf(meaning.length)] as Int32Array | undefined;
    return [
      {
        channel,
        parts: meaning.length,
        agreement: several && wanted ? agreement(wanted) : NaN,
        alone: several ? agreement(sphericalClusters(alone, meaning.length).owners) : NaN,
        chosen: CLUSTER_COUNTS[values.indexOf(Math.max(...values))],
        ...severalMeanings(alone),
      },
    ];
  });
}

/** Where a picture excites a channel most. */
export interface StrongestPlace {
  picture: number;
  position: number;
  /** The channel's output there, above 0. */
  value: number;
  /** w ⊙ x there, [Cin]. */
  contribution: Float64Array;
  /** The class that the network takes the picture for. */
  predicted: number;
}

/** The strongest position of each picture in which the channel fires, and what it reads there. */
export function strongestPlaces(
  {labels, predicted, inputs, outputs, kernel, channels}: KnownActivations,
  channel: number,
): StrongestPlace[] {
  const {inputs: I, outputs: C} = channels;
  return Array.from(labels.keys()).flatMap((picture) => {
    let [position, value] = [0, -Infinity];
    for (let p = 0; p < POSITIONS; p++) {
      const z = outputs[(picture * POSITIONS + p) * C + channel];
      if (z > value) [position, value] = [p, z];
    }
    if (!(value > 0)) return [];
    const row = (picture * POSITIONS + position) * I;
    const contribution = Float64Array.from({length: I}, (_, i) => kernel[i * C + channel] * inputs[row + i]);
    return [{picture, position, value, contribution, predicted: predicted[picture]}];
  });
}
