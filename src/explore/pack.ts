import {gzipSync} from 'node:zlib';
import {classVectors, type ClassVectors} from '../concepts/relate';
import {gatesOf} from '../numerics/gatedSums';
import {
  averagedRelevanceVector,
  classCount,
  classesWithImages,
  warningsOf,
  type RelevanceStatistics,
} from '../numerics/statistics';
import {fittedGammas, knobGrid, startSettings} from './grid';
import {analyse, complete} from './page/analysis';
import type {Explored, ExploredChannel, Pictures, Settings} from './page/explored';
import {shuffledBytes, type FractionBits} from './page/floats';
import {gatedTable} from './page/gatedPairs';
import type {Encoding, PackedHeader} from './page/packed';
import {reachOfChannels} from './reach';
import {fitting, narrowedRanges} from './reduce';

/** The part of the statistics that a panel explores, and the form in which it travels. */
export interface Selection {
  explored: Explored;
  encoding: Encoding;
  bits: FractionBits;
}

/** Chooses what of the statistics fits into `budget` characters; `about.reduced` says what did not. */
export function select(stats: RelevanceStatistics, options: Partial<Settings>, budget: number): Selection {
  const start = startSettings(stats, options);
  const whole = knobGrid(stats, start);
  const {grid, channels, reduced} = narrowedRanges(
    reachOfChannels(stats, whole),
    whole,
    start,
    gatesOf(stats) !== undefined,
  );
  const about = {
    model: stats.model.name,
    layer: stats.layer.name,
    shape: stats.layer.shape,
    images: stats.images.name,
    imageCount: stats.images.paths.length,
    classCount: classesWithImages(stats).length,
    reduced,
    warnings: stats.images.paths.length > 0 ? warningsOf(stats) : ['the statistics are of no images'],
  };
  const everything: Explored = {
    about,
    grid,
    start,
    classes: classesOf(stats, channels),
    channels,
    arv: ({channel, classes}, position) => averagedRelevanceVector(stats, channel, [classes[position]]),
    ...(gatesOf(stats) && {
      gated: ({channel, classes}: ExploredChannel) => byPosition(classVectors(stats, channel, 'gated'), classes),
    }),
  };
  const fit = fitting(everything, budget);
  const analysis = analyse({...everything, channels: fit.channels});
  const kinds = everything.gated ? (['published', 'gated'] as const) : (['published'] as const);
  const lowest = kinds
    .flatMap((arv) => [...complete(analysis.overview({...start, arv})).cosines])
    .reduce((least, value) => Math.min(least, value), Infinity);
  const explored = {
    ...everything,
    grid: {...grid, gamma: fittedGammas(grid.gamma, start, lowest)},
    about: {...about, reduced: [...reduced, ...fit.reduced]},
    channels: fit.channels,
    classes: classesOf(stats, fit.channels),
  };
  return {explored, encoding: fit.encoding, bits: fit.bits};
}

/** The same vectors with classes numbered by their place in the list. */
function byPosition(vectors: ClassVectors, classes: readonly number[]): ClassVectors {
  return {
    kind: vectors.kind,
    vector: (at, half) => vectors.vector(classes[at], half),
    cosine: (a, b, halves) => vectors.cosine(classes[Math.min(a, b)], classes[Math.max(a, b)], halves),
    agreement: (at) => vectors.agreement(classes[at]),
  };
}

function classesOf(stats: RelevanceStatistics, channels: readonly ExploredChannel[]): Explored['classes'] {
  const used = [...new Set(channels.flatMap(({classes}) => classes))].sort((a, b) => a - b);
  return new Map(used.map((k) => [k, {name: stats.classNames[k], images: classCount(stats, k)}]));
}

/** The selection as text for the page; see `Packed` for its parts. */
export function pack(stats: RelevanceStatistics, {explored, encoding, bits}: Selection, pictures?: Pictures): string {
  const {about, grid, start, classes, channels} = explored;
  const header: PackedHeader = {
    about,
    grid,
    start,
    classes: [...classes].map(([k, {name, images}]) => [k, name, images]),
    channels: channels.map((channel) => [channel.channel, [...channel.classes]]),
    encoding,
    gated: explored.gated !== undefined,
    pictures,
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const arrays = encoding === 'products' ? productArrays(stats, explored) : [vectorArray(explored)];
  if (explored.gated) arrays.push(gatedArray(explored));
  const pieces = [
    length,
    json,
    ...channels.map(({reach}) => reach),
    ...arrays.map((array) => shuffledBytes(array, bits)),
  ];
  return gzipSync(Buffer.concat(pieces), {level: 9}).toString('base64');
}

/** The kernel's columns of the channels, [taps, Cin, C], and ΣT of the classes over both halves, [K, taps, Cin]. */
function productArrays(stats: RelevanceStatistics, {channels, classes}: Explored): Float32Array[] {
  const [kh, kw, inputs, outputs] = stats.layer.shape;
  const rows = kh * kw * inputs;
  const kernel = new Float32Array(rows * channels.length);
  for (let row = 0; row < rows; row++) {
    channels.forEach(({channel}, c) => {
      kernel[row * channels.length + c] = stats.kernel[row * outputs + channel];
    });
  }
  const sums = new Float32Array(classes.size * rows);
  [...classes.keys()].forEach((k, at) => {
    for (let row = 0; row < rows; row++) {
      sums[at * rows + row] = stats.inputSums[k * rows + row] + stats.inputSums[(stats.classes + k) * rows + row];
    }
  });
  return [kernel, sums];
}

/** [Σ classes of a channel, Cin] */
function vectorArray({channels, about, arv}: Explored): Float32Array {
  const inputs = about.shape[2];
  const vectors = new Float32Array(inputs * channels.reduce((sum, {classes}) => sum + classes.length, 0));
  let at = 0;
  for (const channel of channels) {
    for (let position = 0; position < channel.classes.length; position++, at += inputs) {
      vectors.set(arv(channel, position), at);
    }
  }
  return vectors;
}

/** The tables of all channels, one after another. */
function gatedArray({channels, gated}: Explored): Float32Array {
  const tables = channels.map((channel) => gatedTable(gated!(channel), [...channel.classes.keys()]));
  const all = new Float32Array(tables.reduce((sum, {length}) => sum + length, 0));
  let at = 0;
  for (const table of tables) {
    all.set(table, at);
    at += table.length;
  }
  return all;
}
