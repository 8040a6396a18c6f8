import path from 'node:path';
import type {Command} from 'commander';
import {demo, DEMO_EXAMPLE} from '../../demo';
import {bestRule, randomCrops, runPlantedBenchmark, TIERS, type PlantedOptions, type TierName} from '../../planted';
import {refuseForeignFile, replaceFile} from '../../files/output';
import {PAGE_MARK} from '../../report/display';
import {InputError} from '../../common/errors';
import {resultPage} from '../../report/show';
import {
  number,
  openImagesOption,
  openModel,
  presetOption,
  print,
  wholeNumber,
  withJson,
  withSourceOptions,
  type SourceOptions,
} from '../common';
import {addKnownBenchmark} from './benchmarkKnown';

interface BenchmarkFlags extends SourceOptions {
  model?: string;
  images?: string;
  heldOut?: string;
  crops?: boolean;
  layer?: string;
  plants: number;
  tiers?: string;
  rules?: string;
  tau?: number;
  seed: number;
  out: string;
  force?: boolean;
}

/** `benchmark known`, and `benchmark planted`: splitting rules against channels whose parts are known. */
export function addBenchmarkCommand(program: Command): void {
  const benchmark = program.command('benchmark').description('measure splitting rules where the answer is known');
  addKnownBenchmark(benchmark);
  withJson(withSourceOptions(benchmark.command('planted')))
    .description(
      'add channels up to polysemantic ones, and see how well each rule finds the parts again, beside controls',
    )
    .option('--model <path>', 'network to plant in', undefined)
    .option('--images <folder>', 'images that rules may look at (with --model)')
    .option('--held-out <folder>', 'images that recovery is measured on (with --model)')
    .option('--crops', 'few images per class: make 20 random crops of each to look at and 12 others to measure on')
    .option('--layer <name>', 'layer to plant in (with --model)')
    .option('--plants <n>', 'plants a tier', wholeNumber, 50)
    .option('--tiers <names>', `some of ${TIERS.map(({name}) => name).join(', ')}; by default all`)
    .option('--rules <names>', 'splitting rules; by default all')
    .option('--tau <share>', 'share of relevance from which a channel is important for an image', number)
    .option('--seed <n>', 'another one chooses other plants', wholeNumber, 0)
    .option('--out <folder>', 'results; the same command resumes from there', path.join('out', 'planted'))
    .option('--force', 'begin anew in the folder, whatever it holds')
    .action(async (options: BenchmarkFlags) => {
      const [resultFile, pageFile] = ['result.json', 'index.html'].map((name) => path.join(options.out, name));
      await refuseForeignFile(resultFile, '"kind":"planted benchmark"', options.force);
      await refuseForeignFile(pageFile, PAGE_MARK, options.force);
      const {model, images, layer, tau} = await subjectOf(options);
      const result = await runPlantedBenchmark(model, images, {
        layer,
        tau: options.tau ?? tau,
        plants: options.plants,
        tiers: options.tiers?.split(',') as TierName[] | undefined,
        rules: options.rules?.split(','),
        seed: options.seed,
        out: options.out,
        force: options.force,
        preset: await presetOption(options.preset),
      });
      await replaceFile(resultFile, JSON.stringify(result));
      const page = await resultPage('Planted benchmark', [
        {heading: `${model.name}, layer ${layer}`, content: [result]},
      ]);
      await replaceFile(pageFile, page);
      // Which rule to take for a channel whose meanings are not known: the one that suits channels made of the layer's others.
      const advised = result.tiers.find(({tier}) => tier === 'dense') ?? result.tiers[0];
      const best = bestRule(result, {tier: advised.tier});
      print(
        options.json ? {...result, best} : `${result}\n\n${best}\nresults, and a page with plots, in ${options.out}`,
        options.json,
      );
    });
}

/** The demo network, or the one that is named. */
async function subjectOf(options: BenchmarkFlags): Promise<Subject> {
  if (options.model === undefined) {
    const {model, train, test} = await demo();
    return {model, images: {discovery: train, heldOut: test}, layer: options.layer ?? DEMO_EXAMPLE.layer, tau: 2 / 16};
  }
  if (options.images === undefined || options.layer === undefined) {
    throw new InputError('a network of your own needs --images and --layer beside --model');
  }
  const model = await openModel(options.model, options);
  const discovery = await openImagesOption(options.images, options);
  if (options.crops) {
    const images = {
      discovery: randomCrops(discovery, {count: 20}),
      heldOut: randomCrops(discovery, {from: 20, count: 12}),
    };
    return {model, images, layer: options.layer};
  }
  if (options.heldOut === undefined) {
    throw new InputError(
      'recovery is measured on images that no rule saw: give --held-out, or --crops where a class has few images',
    );
  }
  return {model, images: {discovery, heldOut: await openImagesOption(options.heldOut, options)}, layer: options.layer};
}

type Subject = {
  model: Parameters<typeof runPlantedBenchmark>[0];
  images: Parameters<typeof runPlantedBenchmark>[1];
  layer: string;
  tau?: PlantedOptions['tau'];
};
