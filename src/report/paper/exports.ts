import {stringify} from 'csv-stringify/sync';
import type {CosinePair} from '../../concepts/types';
import type {Densities} from '../../evaluate';
import type {TripleFractions} from './pooled';

/** Files with the columns and the order of the published code's outputs, as text. */

/** Pairs, the highest cosine first, as the published list. */
export function pairsCsv(pairs: readonly CosinePair[]): string {
  const rows = [...pairs]
    .sort((a, b) => b.cosine - a.cosine)
    .map(({channel, classes, cosine}) => [channel, ...classes, cosine]);
  return stringify([['Channel', 'Class1', 'Class2', 'CosineSimilarity'], ...rows]);
}

/** Fractions of the original, an image each. */
export function fractionsCsv(triples: readonly TripleFractions[]): string {
  const rows = triples.flatMap(({channel, classes, rho, images}) =>
    images.map(({image, concept, fractions, residue}) => [
      channel,
      ...classes,
      rho ?? '',
      classes[concept],
      image,
      ...fractions,
      residue,
    ]),
  );
  return stringify([['Channel', 'Class1', 'Class2', 'Rho', 'ImageClass', 'Image', 'D1', 'D2', 'Residue'], ...rows]);
}

/** Coordinates of the density curves. */
export function densitiesCsv({rows}: Densities): string {
  return stringify([
    ['Concept', 'Channel', 'Activation', 'Density'],
    ...rows.map(({concept, channel, activation, density}) => [concept, channel, activation, density]),
  ]);
}
