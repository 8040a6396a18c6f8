/**
 * The planted benchmark on three networks: `node --import tsx test/bench/planted.ts [demo|resnet20|mobilenet …] [--plants 50] [--tiers dense] [--rules freeRidge,scaledRidge] [--out out/planted]`.
 * Results go to a folder per network, and the same command resumes after an interrupt. The two real networks are read from ../shared/data.
 */
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {backend} from '../../src/engine';
import {bestRule, detectionRates, pairedGain, runPlantedBenchmark} from '../../src/planted';
import type {PlantedOptions} from '../../src/planted';
import {SUBJECTS} from './plantedSubjects';

const write = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {
      plants: {type: 'string', default: '50'},
      skip: {type: 'string', default: '0'},
      tiers: {type: 'string'},
      rules: {type: 'string'},
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
      rules: values.rules?.split(','),
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
      const measured = benchmark.tiers.find((one) => one.tier === tier)!.rules.map(({rule}) => rule);
      for (const rule of ['freeRidge', 'gatedRidge']) {
        for (const over of ['published', 'noSplit', 'scaledRidge', 'energyMatch', 'gatedWiener']) {
          if (![rule, over].every((one) => measured.includes(one))) continue;
          const {mean, interval} = pairedGain(benchmark, rule, over, {tier, set});
          write(
            `${rule} − ${over}, ${tier}, ${set}: ${mean.toFixed(3)} [${interval.map((x) => x.toFixed(3)).join(', ')}]`,
          );
        }
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
