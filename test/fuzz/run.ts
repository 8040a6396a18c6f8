/**
 * The long run: `npm run fuzz -- [--runs 10000] [--seed 1] [--reader NAME]`. Examples of
 * failures are kept in artefacts/fuzz.
 */
import path from 'node:path';
import {parseArgs} from 'node:util';
import {fuzz, tallyTable, type Tally} from './fuzz';
import {READERS} from './readers';
import {ReadingProcess} from './readingProcess';

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      runs: {type: 'string', default: '10000'},
      seed: {type: 'string', default: '1'},
      reader: {type: 'string', multiple: true},
    },
  });
  const unknown = values.reader?.find((wanted) => !READERS.some(({name}) => name === wanted));
  if (unknown !== undefined) {
    throw new Error(`no reader "${unknown}"; readers: ${READERS.map(({name}) => name).join(', ')}`);
  }
  const chosen = READERS.filter(({name}) => !values.reader || values.reader.includes(name));
  const keep = path.join(__dirname, '../../artefacts/fuzz');
  const reading = new ReadingProcess();
  const tallies: Tally[] = [];
  for (const reader of chosen) {
    const count = Math.ceil(Number(values.runs) / (reader.slow ? 20 : 1));
    const progress = (done: number) => {
      if (process.stderr.isTTY && done % 100 === 0) process.stderr.write(`\r${reader.name}: ${done} of ${count}  `);
    };
    const tally = await fuzz(reader, {count, seed: Number(values.seed), keep, process: reading, progress});
    tallies.push(tally);
    process.stderr.write(
      `\r${reader.name}: ${count} in ${tally.seconds.toFixed(0)} s, ${tally.failures.length} failures\n`,
    );
    for (const {kind, file, message} of tally.failures.filter((failure) => failure.file)) {
      process.stderr.write(`${reader.name}: ${kind}, ${file ?? ''}\n${message.split('\n').slice(0, 5).join('\n')}\n`);
    }
  }
  reading.close();
  process.stdout.write(`${tallyTable(tallies)}\n`);
  process.exitCode = tallies.some(({failures}) => failures.length > 0) ? 1 : 0;
}

void main();
