import path from 'node:path';
import type {LabelledImages} from '../../images/types';
import {makeFolder, replaceFile} from '../../files/output';
import {resultPage} from './page';
import {densitiesCsv, fractionsCsv, pairsCsv, publishedFiles} from '../paper/exports';
import type {PaperReproduction} from '../paper/reproduce';
import {paperSections} from './paper';

/**
 * Writes `index.html`, which needs nothing else, and the data behind it: `pairs.csv`, `fractions.csv`, `densities.csv`, `results.json`, and
 * in `as-published` the files that the published code writes, by their names and in their form.
 * @param images the images that the results are measured on
 * @returns the page's path
 * @throws InputError where a file cannot be written
 */
export async function writePaper(paper: PaperReproduction, images: LabelledImages, folder: string): Promise<string> {
  const sections = (await paperSections(paper, {images})).map(({heading, text, view}) => ({
    heading,
    text,
    content: view.map((block) => ('markup' in block ? block.markup : 'figure' in block ? block.figure : block.bundle)),
  }));
  const title = 'Disentangling Polysemantic Channels in Convolutional Neural Networks: figures and tables';
  const page = path.join(folder, 'index.html');
  const text = await resultPage(title, sections);
  await makeFolder(path.join(folder, AS_PUBLISHED));
  const {pairs, perImage, thresholds, teaser} = paper;
  const {densities} = teaser;
  const arch = paper.published ? 'resnet50' : 'network';
  for (const [name, content] of publishedFiles({arch, thresholds, pairs, perImage, densities}))
    await replaceFile(path.join(folder, AS_PUBLISHED, name), content);
  await replaceFile(path.join(folder, 'pairs.csv'), pairsCsv(pairs));
  await replaceFile(path.join(folder, 'fractions.csv'), fractionsCsv(perImage));
  await replaceFile(path.join(folder, 'densities.csv'), densitiesCsv(densities));
  await replaceFile(path.join(folder, 'results.json'), `${JSON.stringify(paperSummary(paper), undefined, 1)}\n`);
  await replaceFile(page, text);
  return page;
}

/** Folder of the files that have the names and the form of the published code's. */
const AS_PUBLISHED = 'as-published';

/** The results without what is long: for a file, and for `--json`. */
export function paperSummary({
  published,
  model,
  layer,
  top1,
  thresholds,
  triples,
  comparison,
  pooled,
  rows,
  left,
  teaser,
}: PaperReproduction) {
  return {
    published,
    model,
    layer,
    top1,
    thresholds,
    triples,
    comparison,
    pooled,
    rows: rows.map(({evaluation, ...row}) => ({...row, ...evaluation})),
    left,
    teaser: {channel: teaser.split.channel, rho: teaser.split.rho?.rho, proof: teaser.proof},
  };
}
