/**
 * The long run: `npm run fuzz -- [--runs 10000] [--seed 1] [--reader NAME]… [--table FILE]`. Examples of failures are kept in
 * artefacts/fuzz. Each reader's row is added to the table (artefacts/fuzz/table.md) as it ends; a reader that has its row with as many
 * files there is not run again, so that a run that was stopped resumes: remove the file to begin anew.
 */
import {appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {fuzz, TALLY_HEAD, tallyRow} from './fuzz';
import {READERS} from './readers';
import {ReadingProcess} from './readingProcess';

const KEEP = path.join(__dirname, '../../artefacts/fuzz');

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      runs: {type: 'string', default: '10000'},
      seed: {type: 'string', default: '1'},
      reader: {type: 'string', multiple: true},
      table: {type: 'string', default: path.join(KEEP, 'table.md')},
    },
  });
  const [count, seed, table] = [Number(values.runs), Number(values.seed), values.table];
  const unknown = values.reader?.find((wanted) => !READERS.some(({name}) => name === wanted));
  if (unknown !== undefined) {
    throw new Error(`no reader "${unknown}"; readers: ${READERS.map(({name}) => name).join(', ')}`);
  }
  mkdirSync(path.dirname(table), {recursive: true});
  if (!existsSync(table)) writeFileSync(table, TALLY_HEAD);
  const done = new Set(readFileSync(table, 'utf8').split('\n').map((line) => line.split(' | ').slice(0, 2).join(' | '))); // prettier-ignore
  const chosen = READERS.filter(({name}) => !values.reader || values.reader.includes(name));
  const reading = new ReadingProcess();
  let failed = false;
  for (const reader of chosen) {
    if (done.has(`| ${reader.name} | ${count}`)) continue;
    const progress = (files: number) => {
      if (process.stderr.isTTY && files % 100 === 0) process.stderr.write(`\r${reader.name}: ${files} of ${count}  `);
    };
    const tally = await fuzz(reader, {count, seed, keep: KEEP, process: reading, progress});
    appendFileSync(table, tallyRow(tally));
    process.stdout.write(`\r${tallyRow(tally)}`);
    for (const {kind, file, message} of tally.failures.filter((failure) => failure.file)) {
      process.stdout.write(`  ${kind}, ${file ?? ''}\n${message.split('\n').slice(0, 5).join('\n')}\n`);
    }
    for (const message of tally.endedOnce) process.stdout.write(`  ended once, not again: ${message}\n`);
    failed ||= tally.failures.length > 0;
  }
  reading.close();
  process.stdout.write(`\n${readFileSync(table, 'utf8')}`);
  process.exitCode = failed ? 1 : 0;
}

void main();
