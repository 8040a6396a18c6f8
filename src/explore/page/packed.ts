import {averagedRelevanceVector, type RelevanceStatistics} from '../../numerics/statistics';
import type {About, Explored, ExploredChannel, Grid, Pictures, Settings} from './explored';
import {unshuffledFloats} from './floats';
import {gatedLength, readGatedTable} from './gatedPairs';

/**
 * How the relevance vectors travel: `products` as the layer's kernel [taps, Cin, C] of the carried channels and the sums
 * [K, taps, Cin] of the carried classes, from which any vector follows; `vectors` one by one, [Σ classes of a channel, Cin].
 */
export type Encoding = 'products' | 'vectors';

/** What stands before the arrays, as JSON. */
export interface PackedHeader {
  about: About;
  grid: Grid;
  start: Settings;
  /** Class index, name and images. */
  classes: [number, string, number][];
  /** Channel and its classes. */
  channels: [number, number[]][];
  encoding: Encoding;
  /** Whether a table of gated cosines a channel follows the vectors. */
  gated: boolean;
  pictures?: Pictures;
}

/** What the page is given. */
export interface Packed {
  /** Gzip in base64 of: length of the header (uint32, little-endian), header, reach of all channels, vectors, gated cosines. */
  data: string;
  /** The tiles, as a data URI. */
  sprite?: string;
  /** Class of the field through which the kernel hears where the knobs stand. */
  link?: string;
}

export async function unpack({data}: Packed): Promise<Explored> {
  const compressed = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return readPacked(new Uint8Array(await new Response(stream).arrayBuffer()));
}

/** Reads the decompressed bytes. */
export function readPacked(bytes: Uint8Array): Explored {
  let at = 0;
  const take = (length: number) => bytes.subarray(at, (at += length));
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  take(4);
  const header = JSON.parse(new TextDecoder().decode(take(headerLength))) as PackedHeader;
  const {about, grid, start, pictures, encoding} = header;
  const channels: ExploredChannel[] = header.channels.map(([channel, classes]) => ({
    channel,
    classes,
    reach: take(classes.length * grid.p.length),
  }));
  const classes = new Map(header.classes.map(([k, name, images]) => [k, {name, images}]));
  const explored = {about, grid, start, pictures, channels, classes};
  const [kh, kw, inputs] = about.shape;
  const floats = (count: number) => unshuffledFloats(take(4 * count));
  if (encoding === 'products') {
    const stats = productStatistics(header, floats(kh * kw * inputs * channels.length), (count) => floats(count));
    const channelAt = new Map(channels.map(({channel}, c) => [channel, c]));
    const classAt = new Map(header.classes.map(([k], position) => [k, position]));
    const arv: Explored['arv'] = (channel, position) =>
      averagedRelevanceVector(stats, channelAt.get(channel.channel)!, [classAt.get(channel.classes[position])!]);
    return {...explored, arv, ...gatedOf(header, channels, floats)};
  }
  const vectors = floats(inputs * channels.reduce((sum, channel) => sum + channel.classes.length, 0));
  const firsts = new Map<number, number>();
  channels.reduce((first, channel) => {
    firsts.set(channel.channel, first);
    return first + channel.classes.length;
  }, 0);
  const arv: Explored['arv'] = (channel, position) => {
    const row = firsts.get(channel.channel)! + position;
    return vectors.subarray(row * inputs, (row + 1) * inputs);
  };
  return {...explored, arv, ...gatedOf(header, channels, floats)};
}

function gatedOf(
  {gated}: PackedHeader,
  channels: readonly ExploredChannel[],
  floats: (count: number) => Float32Array,
): Pick<Explored, 'gated'> {
  if (!gated) return {};
  const all = floats(channels.reduce((sum, {classes}) => sum + gatedLength(classes.length), 0));
  const tables = new Map<number, Float32Array>();
  let at = 0;
  for (const {channel, classes} of channels) tables.set(channel, all.subarray(at, (at += gatedLength(classes.length))));
  return {gated: ({channel, classes}) => readGatedTable(tables.get(channel)!, classes.length)};
}

/** As much of the statistics as averaged relevance vectors need; channels and classes are numbered as they are carried. */
function productStatistics(
  {about, classes, channels}: PackedHeader,
  kernel: Float32Array,
  sums: (count: number) => Float32Array,
): RelevanceStatistics {
  const [kh, kw, inputs] = about.shape;
  const size = classes.length * kh * kw * inputs;
  const inputSums = new Float64Array(2 * size);
  inputSums.set(sums(size));
  const counts = new Float64Array(2 * classes.length);
  classes.forEach(([, , images], k) => (counts[k] = images));
  return {
    layer: {name: about.layer, kind: 'conv', shape: [kh, kw, inputs, channels.length]},
    kernel,
    classes: classes.length,
    classNames: classes.map(([, name]) => name),
    counts,
    inputSums,
  } as unknown as RelevanceStatistics;
}
