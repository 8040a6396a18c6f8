/**
 * What a pass costs, all alternating in one run, so that ratios hold on a noisy machine: the folded forward pass, tfjs's own `predict`, one pass with
 * each attribution, with gated sums, over three layers, out of memory and out of JPEG files; how accumulation grows with images, classes and channels, and
 * a pass with shards; the share of the machine's matrix product; from files to polysemantic channels. With a Python that has torch and torchvision, also
 * PyTorch's forward pass and the published procedure, gone through for so many pairs. `--only endToEnd` leaves out what comes before. A table on stdout, and everything as JSON:
 *   npm run bench [-- --rounds 5 --images 64 --networks resnet20,mobilenet,resnet50 --classes 25 --crops 4 --python PYTHON --pairs 5 --json artefacts/bench.json]
 */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {backend} from '../../src/engine';
import {decodePool} from '../../src/images/decodePool';
import {accumulationGrowth} from './accumulation';
import {endToEnd, publishedRatio, type EndToEnd} from './endToEnd';
import {matmulPeak, measureNetwork, OPEN, operations, SHARED, type Measured} from './passWorks';
import {shardGrowth} from './shards';
import {startTorch, type Torch} from './torch';

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '5'},
    images: {type: 'string', default: '64'},
    networks: {type: 'string', default: 'resnet20,mobilenet,resnet50'},
    classes: {type: 'string', default: '25'},
    crops: {type: 'string', default: '4'},
    python: {type: 'string'},
    pairs: {type: 'string', default: '5'},
    only: {type: 'string'},
    json: {type: 'string', default: 'artefacts/bench.json'},
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const results: Record<string, unknown> = {};

/** What is measured is on disk at once: a run that is stopped loses nothing. */
async function keep(name: string, value: unknown): Promise<void> {
  results[name] = value;
  await mkdir(path.dirname(values.json), {recursive: true});
  await writeFile(values.json, JSON.stringify({...results, load: os.loadavg()}, undefined, 2));
}

function sayNetwork(name: string, {rows, memory, layout}: Measured, work: number, peak: number): void {
  const share = work / (rows['folded forward'].ms / 1000) / peak;
  say(
    `\n${name}: ${(work / 1e9).toFixed(2)} GFLOP an image; the folded forward pass runs at ${(100 * share).toFixed(0)} % of a matrix product’s ${(peak / 1e9).toFixed(0)} GFLOP/s; at most ${(memory / 1e6).toFixed(0)} MB of memory`,
  );
  say(
    `  ${''.padEnd(30)} ${'ms/image'.padStart(9)} ${'× forward'.padStart(10)} ${'processor'.padStart(10)} ${'× forward'.padStart(10)}`,
  );
  for (const [what, {ms, ratio, processorMs, processorRatio}] of Object.entries(rows)) {
    const cells = [
      ms.toFixed(2).padStart(9),
      ratio.toFixed(3).padStart(10),
      processorMs.toFixed(2).padStart(10),
      processorRatio.toFixed(3).padStart(10),
    ];
    say(`  ${what.padEnd(30)} ${cells.join(' ')}`);
  }
  const ratio = (a: string, b: string) =>
    `${(rows[a].ms / rows[b].ms).toFixed(3)}, by processor time ${(rows[a].processorMs / rows[b].processorMs).toFixed(3)}`;
  say(`  JPEG / memory ${ratio('one pass, JPEG files', 'one pass')}${name === 'resnet50' ? ' (goal ≤ 1.15)' : ''}`);
  say(`  three layers / one ${ratio('three layers', 'one pass')} (goal ≤ 1.5)`);
  if (layout) say(`  PyTorch (${layout}) / folded forward ${ratio('PyTorch’s forward', 'folded forward')}`);
}

async function networks(peak: number, torch?: Torch): Promise<void> {
  const found: Record<string, unknown> = {};
  for (const name of values.networks.split(',').filter(Boolean)) {
    const opened = await OPEN[name]().catch(() => undefined);
    if (!opened) {
      say(`${name}: ../shared/data is absent, so it is not timed`);
      continue;
    }
    const work = operations(opened.model);
    opened.model.dispose();
    opened.predict?.dispose();
    const measured = await measureNetwork(name, {rounds: Number(values.rounds), images: Number(values.images), torch});
    sayNetwork(name, measured, work, peak);
    found[name] = {
      ...measured,
      operations: work,
      shareOfPeak: work / (measured.rows['folded forward'].ms / 1000) / peak,
    };
    await keep('networks', found);
  }
}

function sayEndToEnd(found: EndToEnd): void {
  const {classes, crops, pairs, ours, gated, forward, published} = found;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  say(
    `\nfrom ${classes} classes × ${crops} JPEG crops to polysemantic channels, MobileNet, processor time: ${seconds(ours.processor)}, with gated vectors ${seconds(gated.processor)}`,
  );
  say(
    `  the folded forward pass over the same files takes ${seconds(forward.processor)}, ${(forward.processor / ours.processor).toFixed(3)} of ours, ${(forward.processor / gated.processor).toFixed(3)} with gated vectors (goal ≥ 0.95); on the clock ${(forward.wall / ours.wall).toFixed(3)}, ${(forward.wall / gated.wall).toFixed(3)}`,
  );
  if (!published) return;
  say(
    `  the published procedure: relevances ${seconds(published.attribution.processor)}, ${published.vectors.map(({pairs, cost}) => `${pairs} (channel, class) pairs ${seconds(cost.processor)}`).join(', ')}; published / ours by pairs:`,
  );
  const counts = [...new Set([0, 10, 100, pairs, 1000, 10_000])].sort((a, b) => a - b);
  const ratio = (count: number) => {
    const of = publishedRatio(found, count)!;
    return `${of.ratio.toFixed(1)}${of.measured ? '' : ' (extrapolated)'}`;
  };
  say(counts.map((count) => `    ${count}${count === pairs ? ' (important here)' : ''}: ${ratio(count)}`).join('\n'));
}

async function main(): Promise<void> {
  const engine = String(await backend());
  say(engine);
  const torch = values.python === undefined ? undefined : await startTorch(values.python);
  if (torch) say(`PyTorch ${torch.about.torch}, ${torch.about.threads} threads`);
  if (values.only !== 'endToEnd') await throughNetworks(engine, torch);
  await fromFiles(torch);
  torch?.close();
  decodePool().close();
  say(`\nwritten to ${values.json}; load ${os.loadavg()[0].toFixed(1)}`);
}

async function throughNetworks(engine: string, torch?: Torch): Promise<void> {
  const peak = await matmulPeak();
  await keep('machine', {engine, peak, processors: os.cpus().length, torch: torch?.about});
  await networks(peak, torch);

  const growth = accumulationGrowth();
  say('\naccumulation, µs of processor time an image:');
  for (const [what, cells] of Object.entries(growth))
    say(`  by ${what.padEnd(9)} ${cells.map(({of, microseconds}) => `${of}: ${microseconds.toFixed(0)}`).join('   ')}`);
  await keep('growth', growth);

  const shards = await shardGrowth(4 * Number(values.images));
  const {one, two} = shards;
  say(
    `\ntwo shards, a core each / one process, MobileNet, ${shards.images} images: ${(one.wall / two.wall).toFixed(3)} of the speed, by processor time ${(one.processor / two.processor).toFixed(3)} (goal ≥ 0.95)`,
  );
  await keep('shards', shards);
}

async function fromFiles(torch?: Torch): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-bench-'));
  const size = {classes: Number(values.classes), crops: Number(values.crops), rounds: Number(values.rounds)};
  const pairs = values.pairs.split(',').map(Number);
  const options = {...size, pairs, torch, keep: (partly: EndToEnd) => keep('endToEnd', partly)};
  const found = size.classes > 0 && (await endToEnd(SHARED, folder, options).catch(absent));
  await rm(folder, {recursive: true, force: true});
  if (found) sayEndToEnd(found);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  say('../shared/data is absent: nothing is timed from files to channels');
}

void main();
