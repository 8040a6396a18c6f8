import ndarray, {type NdArray} from 'ndarray';
import {
  averagedRelevanceVector,
  checkChannel,
  classesWithImages,
  type RelevanceStatistics,
} from '../numerics/statistics';
import {classVectors, vectorKind} from './relate';
import type {VectorKind} from './types';

export interface MatrixOptions {
  /** Classes, by index. @default all that have images */
  classes?: readonly number[];
}

/**
 * The averaged relevance vectors of a channel for several classes, one a row.
 * @returns [classes, Cin]
 * @throws InputError for a channel or class that the statistics lack
 */
export function relevanceVectors(
  stats: RelevanceStatistics,
  channel: number,
  {classes = classesWithImages(stats)}: MatrixOptions = {},
): NdArray<Float64Array> {
  checkChannel(stats, channel);
  const inputs = stats.layer.shape[2];
  const data = new Float64Array(classes.length * inputs);
  classes.forEach((k, at) => data.set(averagedRelevanceVector(stats, channel, [k]), at * inputs));
  return ndarray(data, [classes.length, inputs]);
}

/**
 * Cosines between the vectors of a channel's classes; NaN where one has none or is zero.
 * @param options.arv vectors that are compared. @default as `findPolysemantic`
 * @returns [classes, classes]
 * @throws InputError for a channel that the statistics lack, or gated vectors of statistics without gates
 */
export function classSimilarities(
  stats: RelevanceStatistics,
  channel: number,
  {classes = classesWithImages(stats), arv}: MatrixOptions & {arv?: VectorKind} = {},
): NdArray<Float64Array> {
  checkChannel(stats, channel);
  const vectors = classVectors(stats, channel, vectorKind(stats, arv));
  const count = classes.length;
  const data = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i; j < count; j++) {
      const value = vectors.cosine(classes[Math.min(i, j)], classes[j]);
      data[i * count + j] = value;
      data[j * count + i] = value;
    }
  }
  return ndarray(data, [count, count]);
}
