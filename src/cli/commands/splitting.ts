import type {Command} from 'commander';
import {evaluateSplit} from '../../evaluate';
import {scoreSplit} from '../../evaluate/scoreSplit';
import {subset} from '../../images';
import {refuseInput} from '../../files/output';
import {InputError} from '../../common/errors';
import {classesIn} from '../../concepts/names';
import {warningsOf, type RelevanceStatistics} from '../../numerics/statistics';
import {loadStatistics} from '../../relevance/store';
import {checkStatistics, disentangle} from '../../split/disentangle';
import {defaultRule} from '../../split/rules';
import {loadSplit, readSplitManifest, refuseOtherTarget, saveSplit} from '../../split/store';
import {verifySplit} from '../../split/verify';
import {cautionsOf} from '../../split/split';
import type {Split} from '../../split/types';
import {
  imageCount,
  notePreset,
  number,
  openModel,
  openModelImages,
  presetOption,
  print,
  rhoOption,
  withDividingOptions,
  withJson,
  withSourceOptions,
  type SourceOptions,
} from '../common';

/** `split`, `verify`, `evaluate`: pull a channel apart, prove that nothing changed, measure the parts. */
export function addSplittingCommands(program: Command): void {
  const words = {channel: 'channel to divide', rule: 'default: freeRidge with --images, else published'};
  withJson(withDividingOptions(withSourceOptions(program.command('split')), words))
    .description('divide a channel into one channel per concept; the output is an ordinary tfjs LayersModel')
    .argument('<model>', 'the model that the statistics are of')
    .argument('<statistics>', 'folder that unweave collect made')
    .option('--classes <a,b>', 'two or more classes, by index or name, one concept each')
    .option(
      '--concept <classes>',
      'classes of one concept, e.g. 1,4 or cat,dog; repeat for each concept',
      (text: string, before: string[] = []) => [...before, text],
    )
    .option(
      '--images <folder>',
      'images of the concepts’ classes, which every rule looks at but the published one with a --rho',
    )
    .requiredOption('--out <folder>', 'folder for the split model')
    .option(
      '--rho <auto|value>',
      'of the published rule: how much stronger a concept’s relevance must be to own a source',
      rhoOption,
    )
    .action(async (source: string, statistics: string, options: SourceOptions & SplitFlags) => {
      const stats = await loadStatistics(statistics);
      const concepts = conceptsOf(stats, options);
      const model = await openModel(source, options, {...stats.model, of: 'statistics are'});
      // Before images are opened with labels that another model's run recorded.
      checkStatistics(model, stats);
      await refuseInput(options.out, [source, statistics, options.images]);
      const {channel, rho} = options;
      const [kh, kw, inputs] = stats.layer.shape;
      const about = {images: options.images !== undefined, rho: rho !== undefined, size: kh * kw * inputs};
      const rule = options.rule ?? defaultRule(about);
      if (!options.force) await refuseOtherTarget(options.out, {layer: stats.layer.name, channel, concepts, rule});
      const images =
        options.images === undefined
          ? undefined
          : await openModelImages(model, options.images, options, {...stats.images, preset: stats.preset});
      if (images) await notePreset(model, images, options, stats.preset);
      const split = await disentangle(
        model,
        stats,
        {channel: options.channel, concepts},
        {images, rho, rule, preset: await presetOption(options.preset)},
      );
      await saveSplit(split, options.out, {force: options.force});
      const warnings = warningsOf(stats);
      const text = [
        String(split),
        ...warnings.map((warning) => `warning: ${warning}`),
        `split model in ${options.out}`,
      ];
      const all = [...warnings, ...cautionsOf(split)];
      print(options.json ? {...summaryOf(split, options.out), warnings: all} : text.join('\n'), options.json);
    });

  withJson(withSourceOptions(program.command('verify')))
    .description('run the model before and after the split on images, and compare their logits')
    .argument('<model>', 'the model that was split')
    .argument('<split>', 'folder that unweave split made')
    .argument('<images>', 'images: a folder, tar archives or a list file')
    .option('--limit <n>', 'only n images, spread evenly over the classes', imageCount)
    .option('--per-class <n>', 'only n images of each class', imageCount)
    .action(async (source: string, folder: string, imagesFolder: string, options: SourceOptions & SomeImages) => {
      const {split, images, preset} = await openSplit(source, folder, imagesFolder, options);
      const proof = await verifySplit(split, images, {preset});
      print(proof, options.json);
      // A proof that failed is a result to look at, and no success.
      if (!proof.exact) process.exitCode = 1;
    });

  withJson(withSourceOptions(program.command('evaluate')))
    .description('how much of the original each part carries, on each concept’s images, beside random splits')
    .argument('<model>', 'the model that was split')
    .argument('<split>', 'folder that unweave split made')
    .argument('<images>', 'images: a folder, tar archives or a list file')
    .option('--limit <n>', 'only n images, spread evenly over the classes', imageCount)
    .option('--per-class <n>', 'only n images of each class', imageCount)
    .option(
      '--tau <share>',
      'images where the channel carries at least this share of relevance (default: 0.03, or 2 / channels where that is more)',
      number,
    )
    .option(
      '--embedder <model>',
      'score the parts by the embeddings of a second network instead: MS score, clarity, redundancy, distances',
    )
    .action(
      async (
        source: string,
        folder: string,
        imagesFolder: string,
        options: SourceOptions & SomeImages & {tau?: number; embedder?: string},
      ) => {
        const {split, images, preset} = await openSplit(source, folder, imagesFolder, options);
        if (options.embedder !== undefined) {
          const embedder = await openModel(options.embedder, {});
          return print(await scoreSplit(split, images, {embedder, preset}), options.json);
        }
        print(await evaluateSplit(split, images, {tau: options.tau, preset}), options.json);
      },
    );
}

/** Classes of each concept, by index or name. */
function conceptsOf(stats: RelevanceStatistics, {classes, concept}: Pick<SplitFlags, 'classes' | 'concept'>) {
  if ((classes === undefined) === (concept === undefined)) {
    throw new InputError('give the concepts either as --classes 1,7 or as --concept 1,4 --concept 7');
  }
  return concept?.map((text) => classesIn(stats, text)) ?? classesIn(stats, classes as string).map((k) => [k]);
}

interface SplitFlags {
  channel: number;
  classes?: string;
  concept?: string[];
  images?: string;
  out: string;
  rho?: number | 'auto';
  rule?: string;
  force?: boolean;
}

interface SomeImages {
  limit?: number;
  perClass?: number;
}

async function openSplit(source: string, folder: string, imagesFolder: string, options: SourceOptions & SomeImages) {
  const recorded = await readSplitManifest(folder);
  const model = await openModel(source, options, {...recorded, of: 'split is'});
  const all = await openModelImages(model, imagesFolder, options, recorded);
  const {limit, perClass} = options;
  const images =
    limit === undefined && perClass === undefined ? all : subset(all, {limit, perClass, classCount: model.classes});
  const split = await loadSplit(folder, model);
  await notePreset(model, images, options, split.preset);
  return {split, images, preset: await presetOption(options.preset)};
}

/** The command's JSON: scores by ρ as text, `1.0` for 1. */
function summaryOf(split: Split, out: string): Record<string, unknown> {
  const key = (rho: number) => (Number.isInteger(rho) ? rho.toFixed(1) : String(rho));
  return {
    out,
    layer: split.layer,
    channel: split.channel,
    rule: split.rule,
    concepts: split.concepts.map(({classes, classNames}) => ({classes, classNames})),
    rho: split.rho?.rho ?? null,
    scores: Object.fromEntries((split.rho?.scores ?? []).map(({rho, score}) => [key(rho), score])),
    zeroDenominators: split.rho?.zeroDenominators ?? 0,
    sources: split.sources,
    zeroInputShare: split.zeroInputShare,
  };
}
