import {numberText} from '../common/numbers';
import {analyse, complete} from './page/analysis';
import type {Explored, ExploredChannel, Grid, Settings} from './page/explored';
import type {FractionBits} from './page/floats';
import {gatedLength} from './page/gatedPairs';
import type {Encoding} from './page/packed';
import {narrowed} from './reach';

/** Smallest τ and p that the panel offers, from the widest choice to the narrowest. */
const LOWEST = [
  {tau: 0, p: 0},
  {tau: 0, p: 0.25},
  {tau: 0.01, p: 0.25},
  {tau: 0.01, p: 0.5},
  {tau: 0.02, p: 0.5},
  {tau: 1, p: 1},
];
/** Pairs of a channel and a class, and pairs of classes of a channel, that a page goes through in a moment. */
const MOST_ROWS = 60_000;
const MOST_PAIRS = 1_500_000;
/** The same where gated cosines travel too, three a pair. */
const MOST_GATED_PAIRS = 300_000;
/** Characters that a number takes, compressed and in base64; measured on relevance vectors, rounded up. */
const CHARACTERS: Record<FractionBits, number> = {23: 5, 15: 3.7, 11: 2.6, 9: 2.3};
const PRECISIONS = [23, 15, 11, 9] as const;
const COARSEST = 9;
/** Characters that a pair of a channel and a class takes besides. */
const CHARACTERS_A_ROW = 12;

/** The ranges of τ and p that keep the panel quick; the values that the knobs start at are always among them. */
export function narrowedRanges(
  channels: readonly ExploredChannel[],
  grid: Grid,
  start: Settings,
  gated = false,
): {grid: Grid; channels: readonly ExploredChannel[]; reduced: string[]} {
  for (const lowest of LOWEST) {
    const narrow: Grid = {
      ...grid,
      tau: grid.tau.filter((tau) => tau >= Math.min(lowest.tau, start.tau)),
      p: grid.p.filter((p) => p >= Math.min(lowest.p, start.p)),
    };
    const kept = narrowed(channels, grid, narrow);
    if (isQuick(kept, gated) || lowest === LOWEST[LOWEST.length - 1]) {
      const narrower = narrow.tau.length + narrow.p.length < grid.tau.length + grid.p.length;
      const reduced = narrower
        ? [
            `τ starts at ${numberText(narrow.tau[0])} and p at ${numberText(narrow.p[0])}: below, too many channels are relevant`,
          ]
        : [];
      return {grid: narrow, channels: kept, reduced};
    }
  }
  throw new Error('unreachable: the narrowest ranges are always taken');
}

function isQuick(channels: readonly ExploredChannel[], gated: boolean): boolean {
  return rowsOf(channels) <= MOST_ROWS && pairsOf(channels) <= (gated ? MOST_GATED_PAIRS : MOST_PAIRS);
}

/**
 * What of the channels fits into `budget` characters, and in which form: everything, if need be with rounded numbers, else
 * the channels whose classes differ most.
 */
export function fitting(
  explored: Explored,
  budget: number,
): {channels: readonly ExploredChannel[]; encoding: Encoding; bits: FractionBits; reduced: string[]} {
  const {channels, about} = explored;
  const forms = (['products', 'vectors'] as const).map((encoding) => {
    const numbers = numbersOf(encoding, explored);
    const fits = (some: readonly ExploredChannel[], bits: FractionBits) =>
      isQuick(some, explored.gated !== undefined) &&
      numbers(some) * CHARACTERS[bits] + rowsOf(some) * CHARACTERS_A_ROW <= budget;
    return {encoding, numbers, fits};
  });
  const [small] = [...forms].sort((a, b) => a.numbers(channels) - b.numbers(channels));
  const bits = PRECISIONS.find((precision) => small.fits(channels, precision));
  if (bits) return {channels, encoding: small.encoding, bits, reduced: roundingNote(bits)};
  const ranked = byDifference(explored);
  const [best] = forms
    .map(({encoding, fits}) => ({encoding, count: mostThatFit(ranked, (some) => fits(some, COARSEST))}))
    .sort((a, b) => b.count - a.count);
  const kept = ranked.slice(0, best.count).sort((a, b) => a.channel - b.channel);
  const note = `only the ${best.count} of ${channels.length} candidate channels of layer ${about.layer} with the lowest cosines are here`;
  return {channels: kept, encoding: best.encoding, bits: COARSEST, reduced: [note, ...roundingNote(COARSEST)]};
}

function roundingNote(bits: FractionBits): string[] {
  if (bits === 23) return [];
  return [
    `relevance vectors are rounded to ${bits + 1} binary digits: cosines differ from the kernel's by less than 0.001`,
  ];
}

/** Numbers that an encoding needs for some of the channels. */
function numbersOf(encoding: Encoding, {about, gated}: Explored): (channels: readonly ExploredChannel[]) => number {
  const [kh, kw, inputs] = about.shape;
  const tables = (channels: readonly ExploredChannel[]) =>
    gated ? channels.reduce((sum, {classes}) => sum + gatedLength(classes.length), 0) : 0;
  if (encoding === 'vectors') return (channels) => inputs * rowsOf(channels) + tables(channels);
  return (channels) => {
    const classes = new Set(channels.flatMap((channel) => channel.classes));
    return kh * kw * inputs * (classes.size + channels.length) + tables(channels);
  };
}

/** Length of the longest beginning of the list that fits, at least 1. */
function mostThatFit(
  ranked: readonly ExploredChannel[],
  fit: (channels: readonly ExploredChannel[]) => boolean,
): number {
  let [fits, tooMany] = [1, ranked.length + 1];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (fit(ranked.slice(0, middle))) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** Classes of a channel that are compared for its rank: enough to tell, few enough to be quick. */
const COMPARED = 40;

/** Channels, the lowest cosine at the starting thresholds first; then those that are no candidates there. */
function byDifference(explored: Explored): ExploredChannel[] {
  const {grid, start} = explored;
  const [atTau, atP] = [grid.tau.indexOf(start.tau), grid.p.indexOf(start.p)];
  const some = explored.channels.map(({channel, classes, reach}) => {
    const width = grid.p.length;
    const positions = [...classes.keys()].filter((k) => reach[k * width + atP] > atTau).slice(0, COMPARED);
    return {
      channel,
      positions,
      classes: positions.map((k) => classes[k]),
      reach: Uint8Array.from(positions.flatMap((k) => [...reach.subarray(k * width, (k + 1) * width)])),
    };
  });
  const byChannel = new Map(explored.channels.map((channel) => [channel.channel, channel]));
  const positionsOf = new Map(some.map(({channel, positions}) => [channel, positions]));
  const {candidates} = complete(
    analyse({
      ...explored,
      channels: some,
      arv: ({channel}, at) => explored.arv(byChannel.get(channel)!, positionsOf.get(channel)![at]),
      // Few classes of each are here, so that it is the published vectors that are quick to compare.
      gated: undefined,
    }).overview({...start, arv: 'published'}),
  );
  const first = candidates.map(({channel}) => byChannel.get(channel)!);
  const ranked = new Set(first);
  return [...first, ...explored.channels.filter((channel) => !ranked.has(channel))];
}

function rowsOf(channels: readonly ExploredChannel[]): number {
  return channels.reduce((sum, {classes}) => sum + classes.length, 0);
}

function pairsOf(channels: readonly ExploredChannel[]): number {
  return channels.reduce((sum, {classes}) => sum + (classes.length * (classes.length - 1)) / 2, 0);
}
