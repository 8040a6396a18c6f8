/** Measures demo networks: `node --import tsx test/demo/evaluate.ts [--verbose] [folder …]`, by default those of data/demo. */
import path from 'node:path';
import {parseArgs} from 'node:util';
import {ensureBackend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import {measure, type SplitFigures} from './measure';

const demo = path.join(__dirname, '../../data/demo');
const write = (line: string) => process.stdout.write(`${line}\n`);
const fixed = (value: number) => value.toFixed(2);

/** Mean over splits of a figure, with its lowest and highest. */
function spread(splits: SplitFigures[], of: (split: SplitFigures) => number): string {
  const values = splits.map(of);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return `${fixed(mean)} (${fixed(Math.min(...values))} to ${fixed(Math.max(...values))})`;
}

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {verbose: {type: 'boolean', default: false}},
  });
  write(String(await ensureBackend()));
  for (const folder of positionals.length ? positionals : ['seed0', 'seed1'].map((seed) => path.join(demo, seed))) {
    const model = await loadModel(folder);
    const {splits, ...figures} = measure(model);
    write(
      `${folder}: held-out accuracy ${figures.accuracy.toFixed(4)}, inputs above 0 ${figures.active.toFixed(3)}, ` +
        `polysemantic ${figures.polysemantic}, with three classes ${figures.triple}, pairs below 0.5 ${figures.different} of ${figures.pairs}`,
    );
    for (const size of [2, 3]) {
      const some = splits.filter((split) => split.classes.length === size);
      if (some.length === 0) continue;
      write(
        `  k = ${size}, ${some.length} splits: own ${spread(some, (s) => s.own)}, other ${spread(some, (s) => s.other)}, ` +
          `residue ${spread(some, (s) => s.residue)}, random own ${spread(some, (s) => s.random.own)}, other ${spread(some, (s) => s.random.other)}`,
      );
      if (values.verbose) for (const split of some) write(describe(split));
    }
    model.dispose();
  }
}

function describe(split: SplitFigures): string {
  const {channel, classes, cosine, rho, sources, own, other, residue, random, top} = split;
  return (
    `    channel ${channel} ${classes.join('/')}: cosine ${fixed(cosine)}, rho ${fixed(rho)}, sources ${sources.join('/')}, ` +
    `own ${fixed(own)}, other ${fixed(other)}, residue ${fixed(residue)}, random ${fixed(random.own)}/${fixed(random.other)}\n` +
    `      table ${JSON.stringify(split.table.map((row) => row.map((value) => Number(value.toFixed(2)))))}\n` +
    `      top 20 original: ${top.original}; parts: ${top.parts.join(' | ')}`
  );
}

void main();
