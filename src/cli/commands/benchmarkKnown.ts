import path from 'node:path';
import type {Command} from 'commander';
import {InputError} from '../../common/errors';
import {refuseForeignFile, replaceFile} from '../../files/output';
import {KNOWN_KINDS, runKnownBenchmark, type KnownKind} from '../../known';
import {print, wholeNumber, withJson} from '../common';

interface KnownFlags {
  kinds?: string;
  seeds?: string;
  perClass: number;
  rules?: string;
  out: string;
  force?: boolean;
  json?: boolean;
}

/** `benchmark known`: detection, splitting and clusters on networks whose channels' meanings are known. */
export function addKnownBenchmark(benchmark: Command): void {
  withJson(benchmark.command('known'))
    .description(
      'measure detection, splitting and clusters without labels on networks whose channels were trained for, or measured to have, known meanings',
    )
    .option('--kinds <names>', `some of ${KNOWN_KINDS.join(', ')}; by default all`)
    .option('--seeds <numbers>', 'seeds of the networks; by default those on which nothing was tuned')
    .option('--per-class <n>', 'pictures of each class to fit on, and as many others to measure on', wholeNumber, 60)
    .option('--rules <names>', 'splitting rules; by default all')
    .option('--out <folder>', 'results, a network at a time; the same command resumes there', path.join('out', 'known'))
    .option('--force', 'begin anew in the folder, whatever it holds')
    .action(async (options: KnownFlags) => {
      const file = path.join(options.out, 'result.json');
      await refuseForeignFile(file, '"kind":"known benchmark"', options.force);
      const seeds = options.seeds?.split(',').map(Number);
      const wrong = seeds?.find((seed) => !Number.isInteger(seed) || seed < 0);
      if (wrong !== undefined) throw new InputError(`invalid seeds: ${options.seeds}; give whole numbers, such as 1,2`);
      const result = await runKnownBenchmark({
        kinds: options.kinds?.split(',') as KnownKind[] | undefined,
        seeds,
        perClass: options.perClass,
        rules: options.rules?.split(','),
        out: options.out,
        force: options.force,
      });
      await replaceFile(file, JSON.stringify(result));
      print(options.json ? result : `${result}\n\nresults in ${options.out}`, options.json);
    });
}
