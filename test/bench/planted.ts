/**
 * The planted benchmark on three networks: `node --import tsx test/bench/planted.ts [demo|resnet20|mobilenet …] [--plants 50] [--out out/planted]`.
 * Results go to a folder per network, and the same command resumes after an interrupt. The two real networks are read from ../shared/data.
 */
import {readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {backend} from '../../src/engine';
import {demo} from '../../src/demo';
import {bestRule, detectionRates, pairedGain, randomCrops, runPlantedBenchmark} from '../../src/planted';
import type {PlantedImages, PlantedOptions} from '../../src/planted';
import {imageFolder} from '../../src/images';
import {loadModel} from '../../src/formats/load';
import type {Model} from '../../src/network/types';

const shared = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
const write = (text: string) => process.stdout.write(`${text}\n`);

interface Subject {
  model: Model;
  images: PlantedImages;
  options: Pick<PlantedOptions, 'layer' | 'tau' | 'discoveryPerClass' | 'heldOutPerClass'>;
}

const SUBJECTS: Record<string, () => Promise<Subject>> = {
  demo: () => demoSubject(0),
  demo1: () => demoSubject(1),
  async resnet20() {
    const model = await loadModel(path.join(shared, 'models/resnet20-12fca82f.th'), {arch: 'resnet20'});
    const images = {
      discovery: await imageFolder(path.join(shared, 'cifar10/train')),
      heldOut: await imageFolder(path.join(shared, 'cifar10/test')),
    };
    return {model, images, options: {layer: 'layer3.2.conv1', tau: 0.03}};
  },
  async mobilenet() {
    const model = await loadModel(path.join(shared, 'models/mobilenet_v1_0.75_224'), {preset: 'tf'});
    const folder = path.join(shared, 'imagenet-samples/crops-224');
    // A file is named by its class: 0000_n01440764.png.
    const labels = Object.fromEntries((await readdir(folder)).map((file) => [file, Number(file.slice(0, 4))]));
    const photographs = await imageFolder(folder, {labels});
    const images = {
      discovery: randomCrops(photographs, {count: 20}),
      heldOut: randomCrops(photographs, {from: 20, count: 12}),
    };
    return {model, images, options: {layer: 'conv_pw_13', tau: 0.03}};
  },
};

async function demoSubject(seed: number): Promise<Subject> {
  const {model, train, test} = await demo({seed});
  return {model, images: {discovery: train, heldOut: test}, options: {layer: 'conv5', tau: 2 / 16}};
}

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {
      plants: {type: 'string', default: '50'},
      skip: {type: 'string', default: '0'},
      tiers: {type: 'string'},
      out: {type: 'string', default: path.join(__dirname, '../../out/planted')},
    },
  });
  write(String(await backend()));
  for (const name of positionals.length > 0 ? positionals : ['demo', 'resnet20', 'mobilenet']) {
    const {model, images, options} = await SUBJECTS[name]();
    const out = path.join(values.out, name);
    const started = Date.now();
    let shown = started;
    const benchmark = await runPlantedBenchmark(model, images, {
      ...options,
      plants: Number(values.plants),
      skipPlants: Number(values.skip),
      tiers: values.tiers?.split(',') as PlantedOptions['tiers'],
      out,
      progress({label, done, total, outcome}) {
        if (outcome === 'running' && Date.now() - shown < 20_000) return;
        shown = Date.now();
        process.stderr.write(`${name}: ${label} ${done} of ${total}, ${((shown - started) / 1000).toFixed(0)} s\n`);
      },
    });
    await writeFile(path.join(out, 'result.json'), JSON.stringify(benchmark));
    write(`\n== ${name} ==\n${benchmark}\n`);
    for (const [tier, set] of [
      ['disjoint', 'two'],
      ['dense', 'two'],
      ['dense', 'unseen'],
      ['dense', 'served'],
    ] as const) {
      if (!benchmark.tiers.some((one) => one.tier === tier)) continue;
      for (const over of ['published', 'noSplit', 'energyMatch', 'gatedWiener']) {
        const {mean, interval} = pairedGain(benchmark, 'gatedRidge', over, {tier, set});
        write(
          `gatedRidge − ${over}, ${tier}, ${set}: ${mean.toFixed(3)} [${interval.map((x) => x.toFixed(3)).join(', ')}]`,
        );
      }
    }
    if (benchmark.tiers.some(({tier}) => tier === 'dense'))
      write(`\n${bestRule(benchmark)}\n\n${detectionRates(benchmark)}`);
    write(`\n${((Date.now() - started) / 1000).toFixed(0)} s`);
    model.dispose();
  }
}

main().catch((error: Error) => {
  process.stderr.write(
    `${error.name === 'InputError' || error.name === 'InterruptError' ? error.message : error.stack}\n`,
  );
  process.exitCode = 1;
});
