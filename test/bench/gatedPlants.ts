/**
 * Published and gated vectors on plants: `node --import tsx test/bench/gatedPlants.ts demo resnet20 mobilenet [--plants 50] [--out out/gatedPlants]`.
 * A line of JSON per network goes to the folder as it is done; a network that is there is not measured again.
 */
import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {numberText} from '../../src/common/numbers';
import {seededRandom} from '../../src/common/random';
import {channelKernel} from '../../src/network/linearLayer';
import {auroc} from '../../src/numerics/ranking';
import {mean} from '../../src/numerics/vectors';
import {choosePlants, negativesAnywhere, negativesFor, type Negative} from '../../src/planted/choosePlants';
import {detectionScores} from '../../src/planted/detection';
import {compareGated, type ComparedChannel, type GatedComparison} from '../../src/planted/gatedDetection';
import {contributionSizes, plantKernel} from '../../src/planted/plantKernels';
import {studyLayer, type StudiedLayer} from '../../src/planted/studiedLayer';
import {tiersNamed} from '../../src/planted/tiers';
import {presetFor} from '../../src/images/presetFor';
import {ensureBackend} from '../../src/engine';
import {SUBJECTS} from './plantedSubjects';

const GAMMA = 0.5;
const SEED = 0;

interface Row {
  kind: 'dense' | 'disjoint' | Negative['kind'];
  channels: number[];
  classes: number[];
  published: number;
  gated: GatedComparison;
  permuted: GatedComparison;
}

const write = (text: string) => process.stdout.write(`${text}\n`);

async function measure(name: string, plants: number): Promise<Row[]> {
  const {model, images, options} = await SUBJECTS[name]();
  await ensureBackend();
  const studied = await studyLayer(model, images, {
    layer: options.layer,
    tau: options.tau!,
    p: 0.75,
    discoveryPerClass: 100,
    heldOutPerClass: 12,
    preset: presetFor(model, images.discovery),
    batchSize: 32,
    progress: false,
  });
  try {
    const {relevance, layer, shift} = studied;
    const shiftOf = (channels: readonly number[]) => channels.reduce((sum, c) => sum + shift[c], 0);
    const channels: (ComparedChannel & Pick<Row, 'kind' | 'channels'>)[] = [];
    const negatives = negativesAnywhere(relevance, SEED);
    for (const plant of choosePlants(relevance, plants, SEED)) {
      const classes = plant.classes as [number, number];
      negatives.push(...negativesFor(relevance, plant, SEED));
      const sizes = await contributionSizes(
        studied,
        plant.channels,
        classes.map((k) => studied.heldOut.get(k)!),
      );
      for (const tier of tiersNamed(['disjoint', 'dense'])) {
        const {kernel} = plantKernel(studied, plant, tier, sizes, SEED);
        const kind = tier.name as 'disjoint' | 'dense';
        channels.push({kind, channels: plant.channels, kernel, shift: shiftOf(plant.channels), classes});
      }
    }
    const distinct = new Map(negatives.map((one) => [[one.kind, one.channels, one.classes].join(), one]));
    for (const {kind, channels: of, classes} of distinct.values()) {
      const kernels = of.map((c) => channelKernel(layer, c));
      const kernel = kernels[0].map((_, at) => kernels.reduce((sum, one) => sum + one[at], 0));
      channels.push({kind, channels: of, kernel, shift: shiftOf(of), classes});
    }
    write(`${name}: ${channels.length} channels`);
    const {own, permuted} = await compareGated(studied, channels, SEED);
    const rows: Row[] = [];
    for (const [n, {kind, channels: of, classes, kernel}] of channels.entries()) {
      const published = await publishedCosine(studied, kernel, classes);
      rows.push({kind, channels: of, classes: [...classes], published, gated: own[n], permuted: permuted[n]});
    }
    return rows;
  } finally {
    studied.dispose();
    model.dispose();
  }
}

async function publishedCosine(
  {layer, discovery}: StudiedLayer,
  kernel: Float32Array,
  [k, l]: readonly [number, number],
) {
  const {negativeCosine} = await detectionScores(layer, kernel, [discovery.get(k)!, discovery.get(l)!]);
  return -negativeCosine;
}

/** The 2.5 and 97.5 % quantiles over 1000 draws of plants and negatives with replacement. */
function interval(statistic: (draw: (rows: readonly Row[]) => Row[]) => number): string {
  const random = seededRandom(1);
  const draw = (rows: readonly Row[]) => rows.map(() => rows[random.integer(0, rows.length - 1)]);
  const values = Array.from({length: 1000}, () => statistic(draw)).sort((a, b) => a - b);
  const value = statistic((rows) => [...rows]);
  return `${numberText(round(value))} [${[25, 974].map((at) => numberText(round(values[at]))).join(', ')}]`;
}

const round = (value: number) => Math.round(100 * value) / 100;

function table(name: string, rows: readonly Row[]): string {
  const of = (kind: Row['kind']) => rows.filter((row) => row.kind === kind);
  const lines: string[] = [];
  for (const vectors of ['published', 'gated'] as const) {
    const cosine = (row: Row) => (vectors === 'published' ? row.published : row.gated.cosine);
    const called = (row: Row, gated = row.gated) =>
      vectors === 'published' ? row.published < GAMMA : gated.decided && gated.cosine < GAMMA;
    const known = (kind: Row['kind']) => of(kind).filter((row) => !Number.isNaN(cosine(row)));
    const apart = (negative: Row['kind']) =>
      interval((draw) =>
        auroc(
          draw(known('dense')).map((row) => -cosine(row)),
          draw(known(negative)).map((row) => -cosine(row)),
        ),
      );
    const share = (kind: Row['kind']) => interval((draw) => mean(draw(of(kind)).map((row) => Number(called(row)))));
    const chance =
      vectors === 'published'
        ? '–'
        : interval((draw) => mean(draw(of('dense')).map((row) => Number(called(row, row.permuted)))));
    const kinds = ['natural', 'merge', 'unmerged'] as const;
    lines.push(
      `| ${[name, vectors, ...kinds.map(apart), ...(['dense', 'disjoint', ...kinds] as const).map(share), chance].join(' | ')} |`,
    );
  }
  return lines.join('\n');
}

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {
      plants: {type: 'string', default: '50'},
      out: {type: 'string', default: path.join(__dirname, '../../out/gatedPlants')},
    },
  });
  await mkdir(values.out, {recursive: true});
  for (const name of positionals.length > 0 ? positionals : ['demo', 'resnet20', 'mobilenet']) {
    const file = path.join(values.out, `${name}.json`);
    if (!existsSync(file)) await writeFile(file, JSON.stringify(await measure(name, Number(values.plants))));
    const rows = JSON.parse(await readFile(file, 'utf8'), (_, value: unknown) => value ?? NaN) as Row[];
    write(
      '| network | vectors | AUROC: dense plants against natural channels | merges | unmerged | called: dense | disjoint | natural | merges | unmerged | dense, labels permuted |',
    );
    write(`|${' --- |'.repeat(11)}`);
    write(table(name, rows));
  }
}

void main();
