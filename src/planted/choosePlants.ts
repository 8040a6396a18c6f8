import {option} from '../common/options';
import {InputError} from '../common/errors';
import {shuffled, uniforms} from '../common/random';
import {seedFor} from './seedFor';
import type {NegativeKind, Plant} from './types';

/** Which channels are relevant to which classes, and how often each is important for each. */
export interface ChannelRelevance {
  /** Fraction of the class's images for which the channel is important, [Cout, K]. */
  importance: Float64Array;
  channels: number;
  /** K, the number of the model's outputs. */
  outputs: number;
  /** Classes with enough images, ascending. */
  classes: number[];
  /** From this fraction on a channel is relevant to a class. */
  p: number;
}

/** Below this fraction a channel says next to nothing about a class. */
const RARELY = 0.25;

/** Relevant (channel, class) pairs that are combined, at most: more would only make a longer list to draw from. */
const MOST_PAIRS = 1500;

/** Other channels of a kind that are scored on a plant's class pair, at most. */
const NEGATIVES_PER_PLANT = 6;

/** Other channels of a kind on any class pairs, and class pairs that are looked through for them, at most. */
const NEGATIVES_ANYWHERE = 60;
const MOST_CLASS_PAIRS = 5000;

export function fractionOf({importance, outputs}: ChannelRelevance, channel: number, k: number): number {
  return importance[channel * outputs + k];
}

const isRelevant = (relevance: ChannelRelevance, channel: number, k: number) =>
  fractionOf(relevance, channel, k) >= relevance.p - 1e-12;

const isRare = (relevance: ChannelRelevance, channel: number, k: number) => fractionOf(relevance, channel, k) < RARELY;

/**
 * Pairs of channels a and b with classes k and l such that a is relevant to k and rarely important for l, and b the other way round. No
 * two plants merge the same channels, and channels are used as evenly as the network allows.
 */
export function choosePlants(relevance: ChannelRelevance, count: number, seed: number): Plant[] {
  const relevant: [number, number][] = [];
  for (const k of relevance.classes) {
    for (let c = 0; c < relevance.channels; c++) if (isRelevant(relevance, c, k)) relevant.push([c, k]);
  }
  const pairs = shuffled(relevant, seedFor('relevant', seed)).slice(0, MOST_PAIRS);
  const candidates: Omit<Plant, 'index'>[] = [];
  for (let i = 0; i < pairs.length; i++) {
    for (let j = i + 1; j < pairs.length; j++) {
      const [[a, k], [b, l]] = [pairs[i], pairs[j]];
      if (a === b || k === l || !isRare(relevance, a, l) || !isRare(relevance, b, k)) continue;
      candidates.push({channels: [a, b], classes: [k, l]});
    }
  }
  const turn = uniforms(candidates.length, seedFor('turn', seed));
  const plants: Plant[] = [];
  const merged = new Set<string>();
  const uses = new Map<number, number>();
  const ordered = shuffled(candidates, seedFor('plants', seed));
  for (const limit of [2, 4, 8, 16, 64]) {
    for (const [at, {channels, classes}] of ordered.entries()) {
      if (plants.length >= count) return plants;
      const key = [...channels].sort((a, b) => a - b).join();
      if (merged.has(key) || channels.some((c) => (uses.get(c) ?? 0) >= limit)) continue;
      merged.add(key);
      channels.forEach((c) => uses.set(c, (uses.get(c) ?? 0) + 1));
      const swap = turn[at] < 0.5;
      plants.push({
        index: plants.length,
        channels: swap ? [...channels].reverse() : channels,
        classes: swap ? [...classes].reverse() : classes,
      });
    }
  }
  return plants;
}

/**
 * The plant with a third channel, which is relevant to a third class and rarely important for the other two, as they are for its class;
 * undefined where the list has none.
 */
export function withThird(relevance: ChannelRelevance, plants: readonly Plant[], plant: Plant): Plant | undefined {
  const [a, b] = plant.channels;
  const [k, l] = plant.classes;
  const others = [...plants.slice(plant.index + 1), ...plants.slice(0, plant.index)];
  for (const {channels, classes} of others) {
    for (const [c, q] of [0, 1].map((side) => [channels[side], classes[side]])) {
      if (c === a || c === b || q === k || q === l) continue;
      const apart =
        isRare(relevance, a, q) && isRare(relevance, b, q) && isRare(relevance, c, k) && isRare(relevance, c, l);
      if (apart) return {index: plant.index, channels: [a, b, c], classes: [k, l, q]};
    }
  }
  return undefined;
}

/** Channels that are no plant, and the pair of classes on which they are looked at. */
export interface Negative {
  kind: NegativeKind;
  channels: number[];
  classes: [number, number];
}

/** Channels that are no plant, on a plant's class pair. */
export function negativesFor(relevance: ChannelRelevance, plant: Plant, seed: number): Negative[] {
  const pair = plant.classes.slice(0, 2) as [number, number];
  const some = (list: Negative[], kind: string) =>
    shuffled(list, seedFor(kind, seed, plant.index)).slice(0, NEGATIVES_PER_PLANT);
  return [
    ...some(naturalOn(relevance, pair), 'natural'),
    ...some(mergesOn(relevance, pair), 'merge'),
    ...plant.channels.map((c): Negative => ({kind: 'unmerged', channels: [c], classes: pair})),
  ];
}

/** Channels that are no plant, on any class pairs: there may be hardly any on those of the plants. */
export function negativesAnywhere(relevance: ChannelRelevance, seed: number): Negative[] {
  const {classes} = relevance;
  const pairs = classes.flatMap((k, i) => classes.slice(i + 1).map((l): [number, number] => [k, l]));
  const ordered = shuffled(pairs, seedFor('pairs', seed)).slice(0, MOST_CLASS_PAIRS);
  const some = (of: (pair: [number, number]) => Negative[], kind: string) =>
    shuffled(ordered.flatMap(of), seedFor(kind, seed)).slice(0, NEGATIVES_ANYWHERE);
  return [
    ...some((pair) => naturalOn(relevance, pair), 'natural anywhere'),
    ...some((pair) => mergesOn(relevance, pair), 'merge anywhere'),
  ];
}

/** Untouched channels that are relevant to both classes. */
function naturalOn(relevance: ChannelRelevance, classes: [number, number]): Negative[] {
  return channelsFor(relevance, classes).map((c) => ({kind: 'natural', channels: [c], classes}));
}

/**
 * Two channels that both serve both classes; where there are none, one that serves both with one that serves one of them and is not rare
 * for the other.
 */
function mergesOn(relevance: ChannelRelevance, classes: [number, number]): Negative[] {
  const [k, l] = classes;
  const both = channelsFor(relevance, classes);
  const merges = both.flatMap((a, i) => both.slice(i + 1).map((b) => [a, b]));
  const oneSided = () =>
    both.flatMap((a) =>
      Array.from({length: relevance.channels}, (_, c) => c)
        .filter((b) => !both.includes(b))
        .filter((b) =>
          [
            [k, l],
            [l, k],
          ].some(([x, y]) => isRelevant(relevance, b, x) && !isRare(relevance, b, y)),
        )
        .map((b) => [a, b]),
    );
  return (merges.length > 0 ? merges : oneSided()).map((channels) => ({kind: 'merge', channels, classes}));
}

/** Channels relevant to all of the classes. */
function channelsFor(relevance: ChannelRelevance, classes: readonly number[]): number[] {
  return Array.from({length: relevance.channels}, (_, c) => c).filter((c) =>
    classes.every((k) => isRelevant(relevance, c, k)),
  );
}

/** Other classes by what a plant's rules see of them. */
export interface OtherClasses {
  /** Their images make the background that rules may use. */
  background: number[];
  /** No rule sees them. */
  unseen: number[];
  /** Unseen too, and one source alone is relevant to them: one class a source, or none. */
  served: number[];
}

/** Background classes, at most: a second moment needs no more. */
const MOST_BACKGROUND = 24;

/** Divides the classes that are not the plant's: half are background, the others unseen. */
export function otherClasses(
  relevance: ChannelRelevance,
  {channels, classes, index}: Plant,
  seed: number,
): OtherClasses {
  const others = shuffled(
    relevance.classes.filter((k) => !classes.includes(k)),
    seedFor('others', seed, index),
  );
  const served = channels.map((c) =>
    others.find((k) => isRelevant(relevance, c, k) && channels.every((d) => d === c || isRare(relevance, d, k))),
  );
  const complete = served.every((k) => k !== undefined) && others.length >= channels.length + 2;
  const kept = complete ? (served as number[]) : [];
  const rest = others.filter((k) => !kept.includes(k));
  const half = Math.min(Math.max(1, Math.floor(rest.length / 2)), MOST_BACKGROUND);
  return {background: rest.slice(0, half), unseen: rest.slice(half, half + MOST_BACKGROUND), served: kept};
}

/** @throws InputError where there is none */
export function requirePlants(plants: readonly Plant[], relevance: ChannelRelevance, layer: string, tau: number): void {
  if (plants.length > 0) return;
  const relevant = new Set<number>();
  for (const k of relevance.classes) {
    for (let c = 0; c < relevance.channels; c++) if (isRelevant(relevance, c, k)) relevant.add(c);
  }
  throw new InputError(
    `no two channels of layer ${layer} can be planted: ${relevant.size} of ${relevance.channels} channels are relevant to one of the ${relevance.classes.length} classes at tau ${tau} and p ${relevance.p}, and two that are relevant to different classes, each rarely important for the other's, are needed; give a smaller ${option('tau')} or ${option('p')}, images of more classes, or another layer`,
  );
}
