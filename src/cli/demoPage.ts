import path from 'node:path';
import type {PolysemanticChannels} from '../concepts/types';
import type {SplitEvaluation, SplitTopImages} from '../evaluate';
import {holdsSomethingElse, entriesOf, refuseForeignFile, replaceFile} from '../files/output';
import {PAGE_MARK} from '../report/display';
import type {LabelledImages} from '../images/types';
import {resultPage, topImagesGallery} from '../report/show';
import type {RelevanceStatistics} from '../numerics/statistics';
import type {Split} from '../split/types';
import type {SplitProof} from '../split/verify';

export interface DemoResults {
  stats: RelevanceStatistics;
  found: PolysemanticChannels;
  split: Split;
  proof: SplitProof;
  evaluation: SplitEvaluation;
  top: SplitTopImages;
  test: LabelledImages;
}

/** Folders that the demo makes beside its page, each with rules of its own about what it replaces. */
const FOLDERS = ['statistics', 'split'];

/** @throws InputError for a folder with files that the demo did not make, unless `force` */
export async function refuseForeignDemo(folder: string, force = false): Promise<void> {
  const page = path.join(folder, 'index.html');
  await refuseForeignFile(page, PAGE_MARK, force);
  const entries = await entriesOf(folder);
  const others = entries.filter((name) => !FOLDERS.includes(name));
  // With its page, the folder is the demo's.
  if (!force && others.length > 0 && !others.includes('index.html')) throw holdsSomethingElse(folder, others);
}

/** Writes `index.html`, which needs nothing else, and `gallery.png`; returns the page's path. */
export async function writeDemoPage(folder: string, results: DemoResults): Promise<string> {
  const {stats, found, split, proof, evaluation, top, test} = results;
  const names = split.concepts.map(({classNames}) => classNames.join(' + '));
  const meanings = found.find(({channel}) => channel === split.channel)?.concepts.length ?? names.length;
  const title = `Channel ${split.channel} of ${split.layer} means ${meanings} things${meanings > names.length ? `; here ${names.length} of them are pulled apart` : ''}`;
  const page = await resultPage(title, [
    {
      heading: 'What excites it, and what excites its parts',
      text: [
        `Most of the pictures that excite the channel most show ${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}; each of its parts is excited by one of them. None of these pictures was used to find or to make the parts.`,
      ],
      content: [top],
      options: {images: test},
    },
    {heading: 'The network still computes the same', content: [proof]},
    {
      heading: 'How clean the split is',
      text: [
        'A part should carry all of the original on its own concept’s pictures, and nothing on the others’. A random split of the same sizes shows what chance does.',
      ],
      content: [evaluation],
    },
    {heading: 'Which weight went where', content: [split]},
    {heading: 'All polysemantic channels of the layer', content: [found], options: {stats}},
  ]);
  const file = path.join(folder, 'index.html');
  // First, since it says whose folder this is.
  await replaceFile(file, page);
  await replaceFile(path.join(folder, 'gallery.png'), await topImagesGallery(top, test, {count: 10, scale: 1}));
  return file;
}
