import {numberText} from '../../common/numbers';
import * as tf from '@tensorflow/tfjs-core';
import {sampleRankCorrelation} from 'simple-statistics';
import {InputError} from '../../common/errors';
import type {LongCallOptions} from '../../common/progress';
import {readable} from '../../common/readable';
import type {LabelledImages, PresetOption} from '../../images/types';
import type {Model} from '../../network/types';
import {runPass, type BatchCollector} from '../runPass';
import type {Attribution} from '../types';

export interface CompareOptions extends LongCallOptions {
  layer: string;
  attributions: readonly Attribution[];
  preset?: PresetOption;
  /** @default 32 */
  batchSize?: number;
}

/** How alike attributions order a layer's channels. */
export interface AttributionComparison {
  kind: 'attribution comparison';
  layer: string;
  names: string[];
  images: number;
  /** Spearman's rank correlation over the channels of an image, mean over the images, [A][A]. */
  correlations: number[][];
  toString(): string;
}

/**
 * Computes several attributions of the same images, in one pass, and compares the order in which each puts the channels of an image.
 * @throws InputError for fewer than two attributions; InterruptError when stopped
 */
export async function compareAttributions(
  model: Model,
  images: LabelledImages,
  {layer, attributions = [], ...options}: CompareOptions,
): Promise<AttributionComparison> {
  const count = attributions.length;
  if (count < 2) throw new InputError('fewer than two attributions; give at least two to compare');
  const sums = attributions.map(() => new Float64Array(count));
  let compared = 0;
  const collector: BatchCollector = {
    init: () => undefined,
    measure: (batch) =>
      Object.fromEntries(attributions.map(({relevance}, n) => [String(n), tf.clone(relevance(batch))])), // [B, Cout]
    add(_state, batch, values) {
      batch.paths.forEach((_, b) => {
        const rows = attributions.map((_unused, n) => {
          const outputs = values[n].length / batch.paths.length;
          return Array.from(values[n].subarray(b * outputs, (b + 1) * outputs));
        });
        for (let i = 0; i < count; i++)
          for (let j = 0; j < count; j++) sums[i][j] += i === j ? 1 : sampleRankCorrelation(rows[i], rows[j]);
      });
      compared += batch.paths.length;
    },
  };
  await runPass(model, images, {...options, layers: [layer], label: `comparing attributions at ${layer}`}, [collector]);
  if (compared === 0) throw new InputError(`none of the images of ${images.name} can be read`);
  const result: Omit<AttributionComparison, 'toString'> = {
    kind: 'attribution comparison',
    layer,
    names: attributions.map(({name}) => name),
    images: compared,
    correlations: sums.map((row) => Array.from(row, (sum) => sum / compared)),
  };
  return readable(result, describeComparison);
}

function describeComparison({layer, names, images, correlations}: Omit<AttributionComparison, 'toString'>): string {
  const lines = names.flatMap((name, i) =>
    names.slice(i + 1).map((other, j) => `  ${name} and ${other}: ${numberText(correlations[i][i + 1 + j])}`),
  );
  return [`rank correlation of the channels of layer ${layer}, mean over ${images} images:`, ...lines].join('\n');
}
