/** The long run: `npm run fuzz -- [--count 10000] [--seed 1] [--reader NAME]`. Examples of failures are kept in artefacts/fuzz. */
import path from 'node:path';
import {parseArgs} from 'node:util';
import {fuzz, tallyTable, type Tally} from './fuzz';
import {READERS} from './readers';

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      count: {type: 'string', default: '10000'},
      seed: {type: 'string', default: '1'},
      reader: {type: 'string', multiple: true},
    },
  });
  const chosen = READERS.filter(({name}) => !values.reader || values.reader.includes(name));
  const keep = path.join(__dirname, '../../artefacts/fuzz');
  const tallies: Tally[] = [];
  for (const reader of chosen) {
    const tally = await fuzz(reader, {count: Number(values.count), seed: Number(values.seed), keep});
    tallies.push(tally);
    for (const {kind, file, message} of tally.failures) {
      process.stderr.write(`${reader.name}: ${kind}, ${file ?? ''}\n${message.split('\n').slice(0, 4).join('\n')}\n`);
    }
  }
  process.stdout.write(`${tallyTable(tallies)}\n`);
  process.exitCode = tallies.some(({failures}) => failures.length > 0) ? 1 : 0;
}

void main();
