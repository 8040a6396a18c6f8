import path from 'node:path';
import type {Command} from 'commander';
import {subset} from '../../images';
import {entriesOf, holdsSomethingElse, refuseForeignFile, refuseInput} from '../../files/output';
import {PAGE_MARK} from '../../report/display';
import {paperSummary, PUBLISHED_LAYER, reproducePaper, writePaper} from '../../report/reproduction';
import {collectRelevance} from '../../relevance/collect';
import {
  number,
  openImagesOption,
  openModel,
  presetOption,
  print,
  withJson,
  withSourceOptions,
  type SourceOptions,
} from '../common';

interface PaperFlags extends SourceOptions {
  checkpoint: string;
  images: string;
  train?: string;
  layer: string;
  out: string;
  tau?: number;
  important?: number;
  lowest?: number;
  steps: number;
  rho: number;
  force?: boolean;
}

/** What the command writes, beside the statistics' folder. */
const FILES = [
  'statistics',
  'as-published',
  'index.html',
  'pairs.csv',
  'fractions.csv',
  'densities.csv',
  'results.json',
];

/** `paper`: every figure and table of the paper, on one page. */
export function addPaperCommand(program: Command): void {
  withJson(withSourceOptions(program.command('paper')))
    .description(
      'the figures and tables of the paper for a ResNet-50 and ImageNet (or any network and images), as one page and its data',
    )
    .requiredOption(
      '--checkpoint <file>',
      'the network, e.g. resnet50-0676ba61.pth (torchvision, IMAGENET1K_V1: the published one)',
    )
    .requiredOption('--images <folder>', 'images to measure on, e.g. imagenet/val')
    .option('--train <folder>', 'images to find and split with; without it, every second image of --images')
    .option('--layer <name>', 'layer of interest', PUBLISHED_LAYER)
    .option(
      '--tau <share>',
      'share of relevance of detection (default: 0.03, or 2 / channels where that is more)',
      number,
    )
    .option(
      '--important <share>',
      'share of relevance from which an image counts in the fractions; published with 0.03 and 0.05 (default: tau)',
      number,
    )
    .option('--lowest <cosine>', 'lower end of the cosines that count as found; published with 0', number, 0)
    .option(
      '--steps <count>',
      'steps of the feature visualisations of figure 1, minutes of work on a ResNet-50; 0 leaves them out',
      number,
      256,
    )
    .option('--rho <value>', 'the fixed ρ that stands beside the chosen one', number, 0.5)
    .option('--out <folder>', 'folder for the page, its data and the statistics', path.join('out', 'paper'))
    .option('--force', 'write into the folder, whatever it holds')
    .action(async (options: PaperFlags) => {
      await refuseInput(options.out, [options.checkpoint, options.images, options.train]);
      await refuseForeignFile(path.join(options.out, 'index.html'), PAGE_MARK, options.force);
      const others = (await entriesOf(options.out)).filter((name) => !FILES.includes(name));
      if (!options.force && others.length > 0) throw holdsSomethingElse(options.out, others);
      const model = await openModel(options.checkpoint, options);
      const all = await openImagesOption(options.images, options);
      const half = (rest: number) =>
        subset(all, {indices: [...all.paths.keys()].filter((index) => index % 2 === rest)});
      const [train, test] =
        options.train === undefined ? [half(0), half(1)] : [await openImagesOption(options.train, options), all];
      const stats = await collectRelevance(model, train, {
        layer: options.layer,
        out: path.join(options.out, 'statistics'),
        preset: await presetOption(options.preset),
        force: options.force,
      });
      const {tau, important, lowest, rho, steps} = options;
      const features = steps === 0 ? (false as const) : {steps};
      const paper = await reproducePaper(model, stats, train, test, {tau, important, lowest, rho, features});
      try {
        const page = await writePaper(paper, test, options.out);
        print(options.json ? {page, ...paperSummary(paper)} : `the page: ${page}`, options.json);
        if (!paper.teaser.proof.exact) process.exitCode = 1;
      } finally {
        paper.teaser.split.dispose();
      }
    });
}
