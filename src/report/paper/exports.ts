import {stringify} from 'csv-stringify/sync';
import type {CosinePair} from '../../concepts/types';
import type {Densities} from '../../evaluate';
import type {TripleFractions} from './pooled';

/** The paper's data as files: tables with a head each, and the same as the published code writes them, byte for byte in form. */

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

/** What the published code calls the curves in the files of their coordinates. */
const CURVES = [
  ['original', 'original'],
  ['d1', 'disentangled1'],
  ['d2', 'disentangled2'],
] as const;

/**
 * The files of the published code by their names there: the list of pairs within the limits (get_cosine_similarities.py), the fractions of every
 * kept image of all triples, a file for each concept without a head, and the coordinates of the density curves for LaTeX (get_results.py).
 */
export function publishedFiles(paper: {
  arch: string;
  thresholds: {tau: number; p: number; gamma: number; lowest: number; important: number};
  pairs: readonly CosinePair[];
  perImage: readonly TripleFractions[];
  densities: Densities;
}): Map<string, string> {
  const {arch, thresholds, pairs, perImage, densities} = paper;
  const {tau, p, gamma, lowest, important} = thresholds;
  const below = pairs.filter(({cosine}) => cosine >= lowest && cosine < gamma);
  const limits = `required${float(tau)}_p${float(p)}_cossim${float(lowest)}to${float(gamma)}`;
  const files = new Map([[`${arch}_${limits}.txt`, pairsCsv(below)]]);
  for (const concept of [0, 1]) {
    const kept = perImage.flatMap(({images}) => images.filter((image) => image.concept === concept));
    files.set(
      `quantitative_concept${concept + 1}_required${float(important)}.txt`,
      kept.map(({fractions, residue}) => `${[...fractions, residue].join()}\n`).join(''),
    );
    const {classNames} = densities.concepts[concept];
    const curves = CURVES.map(([channel, name]) => {
      const rows = densities.rows.filter((row) => row.channel === channel && row.concept === classNames.join(' + '));
      const points = rows.map(({activation, density}) => `${activation} ${density}\n`).join('');
      return `\\begin{filecontents*}{${name}_c${concept + 1}.dat}\n${points}\\end{filecontents*}\n`;
    });
    files.set(`density_concept${concept + 1}.txt`, curves.join(''));
  }
  return files;
}

/** A number as Python writes a float: `0.0`, `0.75`. */
const float = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value));
