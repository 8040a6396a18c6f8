import {findPolysemantic, makeConcept} from '../../concepts/find';
import {groupClasses} from '../../concepts/group';
import {byLowestCosine, isComparable, relatedPairs, type ClassVectors} from '../../concepts/relate';
import type {ClassPair} from '../../concepts/types';
import type {RelevanceStatistics} from '../../numerics/statistics';
import {cosine} from '../../numerics/vectors';
import {channelStatistics} from './channelStatistics';
import {gridIndex, type Explored, type ExploredChannel, type Settings} from './explored';

/** A channel that is relevant to at least two classes. */
export interface ChannelSummary {
  channel: number;
  classes: number[];
  /** NaN where no two of its ARVs can be compared. */
  lowestCosine: number;
  /** The classes of the lowest cosine. */
  lowestPair?: [number, number];
  /** Pairs that can be compared, and those below γ; pairs that gated vectors leave undecided. */
  pairs: number;
  below: number;
  undecided: number;
}

/** What the thresholds find in the layer. */
export interface Overview {
  /** Candidates, the lowest cosine first; those with a pair below γ are polysemantic. */
  candidates: ChannelSummary[];
  polysemantic: number;
  pairs: number;
  below: number;
  undecided: number;
  /** Cosines of all pairs that are decided, in no order. */
  cosines: Float64Array;
}

export interface DetailConcept {
  classes: number[];
  /** [Cin] */
  arv: Float64Array;
}

/** One channel at the thresholds. */
export interface Detail {
  channel: number;
  /** Relevant classes, those of a concept together. */
  classes: number[];
  /** [classes, classes]; NaN where an ARV is zero. */
  cosines: Float64Array;
  concepts: DetailConcept[];
  /** Classes that do not agree with themselves between the halves of their images, and are of no concept. */
  undecided: number[];
  /** Pairs below γ, ascending by cosine. */
  pairs: ClassPair[];
  lowestCosine: number;
}

/** A cosine that was not computed yet; cosines are from −1 to 1, or NaN. */
const UNKNOWN = 2;

export interface Analysis {
  /** Goes through the channels; yields after each, so that a page can draw meanwhile. */
  overview(settings: Settings): Generator<undefined, Overview>;
  /** Undefined for a channel that is no candidate at these thresholds. */
  detail(settings: Settings, channel: number): Detail | undefined;
  /** Classes of one's own choosing as concepts of a channel. */
  concepts(channel: number, groups: readonly (readonly number[])[]): DetailConcept[];
}

/** Computes what the knobs show, and keeps the cosines, which do not depend on them. */
export function analyse(explored: Explored): Analysis {
  const {grid} = explored;
  const byChannel = new Map(explored.channels.map((channel) => [channel.channel, channel]));
  const known = new Map<number, Float64Array>();
  let last: {channel: number; stats: RelevanceStatistics} | undefined;

  function statisticsOf(channel: ExploredChannel): RelevanceStatistics {
    if (last?.channel !== channel.channel) {
      last = {channel: channel.channel, stats: channelStatistics(explored, channel)};
    }
    return last.stats;
  }

  /** Positions in the channel's list of the classes that it is relevant to. */
  function relevant({reach, classes}: ExploredChannel, {tau, p}: Settings): number[] {
    const [atTau, atP] = [gridIndex(grid.tau, tau), gridIndex(grid.p, p)];
    const positions: number[] = [];
    for (let k = 0; k < classes.length; k++) if (reach[k * grid.p.length + atP] > atTau) positions.push(k);
    return positions;
  }

  /** Cosines of all pairs of the positions, in the channel's matrix [classes, classes]; computed where they are not known. */
  function cosinesOf(channel: ExploredChannel, positions: readonly number[]): Float64Array {
    const count = channel.classes.length;
    const matrix = known.get(channel.channel) ?? new Float64Array(count * count).fill(UNKNOWN);
    known.set(channel.channel, matrix);
    const arvs = new Map<number, ArrayLike<number>>();
    const arv = (at: number) => {
      const vector = arvs.get(at) ?? explored.arv(channel, at);
      arvs.set(at, vector);
      return vector;
    };
    for (let i = 0; i < positions.length; i++) {
      for (let j = i + 1; j < positions.length; j++) {
        const at = positions[i] * count + positions[j];
        if (matrix[at] === UNKNOWN) {
          matrix[at] = cosine(arv(positions[i]), arv(positions[j]));
          matrix[positions[j] * count + positions[i]] = matrix[at];
        }
      }
    }
    return matrix;
  }

  /** The cosine of two classes by position, or undefined where gated vectors leave them undecided. */
  function comparison(channel: ExploredChannel, positions: readonly number[], {arv}: Settings) {
    if (arv === 'gated' && explored.gated) {
      const vectors = explored.gated(channel);
      const sure = new Map(positions.map((at) => [at, isComparable(vectors, at)]));
      return (a: number, b: number) => (sure.get(a) && sure.get(b) ? vectors.cosine(a, b) : undefined);
    }
    const matrix = cosinesOf(channel, positions);
    return (a: number, b: number) => matrix[a * channel.classes.length + b];
  }

  function summary(channel: ExploredChannel, positions: number[], at: Settings, cosines: number[]): ChannelSummary {
    const {classes} = channel;
    const compared = comparison(channel, positions, at);
    const result: ChannelSummary = {
      channel: channel.channel,
      classes: positions.map((at) => classes[at]),
      lowestCosine: NaN,
      pairs: 0,
      below: 0,
      undecided: 0,
    };
    for (let i = 0; i < positions.length; i++) {
      for (let j = i + 1; j < positions.length; j++) {
        const value = compared(positions[i], positions[j]);
        if (value === undefined) result.undecided += 1;
        if (value === undefined || Number.isNaN(value)) continue;
        cosines.push(value);
        result.pairs += 1;
        if (value < at.gamma) result.below += 1;
        if (!(result.lowestCosine <= value)) {
          result.lowestCosine = value;
          result.lowestPair = [classes[positions[i]], classes[positions[j]]];
        }
      }
    }
    return result;
  }

  function* overview(settings: Settings): Generator<undefined, Overview> {
    const candidates: ChannelSummary[] = [];
    const cosines: number[] = [];
    for (const channel of explored.channels) {
      const positions = relevant(channel, settings);
      if (positions.length < 2) continue;
      candidates.push(summary(channel, positions, settings, cosines));
      yield;
    }
    candidates.sort(byLowestCosine);
    return {
      candidates,
      polysemantic: candidates.filter(({below}) => below > 0).length,
      pairs: cosines.length,
      below: candidates.reduce((sum, {below}) => sum + below, 0),
      undecided: candidates.reduce((sum, {undecided}) => sum + undecided, 0),
      cosines: Float64Array.from(cosines),
    };
  }

  function detail(settings: Settings, wanted: number): Detail | undefined {
    const {tau, p, gamma, arv} = settings;
    const channel = byChannel.get(wanted);
    if (!channel) return undefined;
    if (arv === 'gated' && explored.gated) return gatedDetail(settings, channel, explored.gated(channel));
    const [found] = findPolysemantic(statisticsOf(channel), {tau, p, gamma, allPairs: true});
    if (!found) return undefined;
    const outside = (local: readonly number[]) => local.map((k) => channel.classes[k]);
    const ordered = found.concepts.flatMap((concept) => concept.classes);
    const matrix = cosinesOf(channel, found.classes);
    const pairs = found.pairs.filter((pair) => pair.cosine < gamma);
    return {
      channel: wanted,
      classes: outside(ordered),
      cosines: Float64Array.from({length: ordered.length ** 2}, (_, at) => {
        const [i, j] = [Math.floor(at / ordered.length), at % ordered.length];
        return i === j ? 1 : matrix[ordered[i] * channel.classes.length + ordered[j]];
      }),
      concepts: found.concepts.map((concept) => ({classes: outside(concept.classes), arv: concept.arv})),
      undecided: [],
      pairs: pairs.map((pair) => ({...pair, channel: wanted, classes: outside(pair.classes) as [number, number]})),
      lowestCosine: found.lowestCosine,
    };
  }

  /** As `findPolysemantic` decides by gated vectors. */
  function gatedDetail(settings: Settings, channel: ExploredChannel, vectors: ClassVectors): Detail | undefined {
    const {gamma} = settings;
    const positions = relevant(channel, settings);
    const pairs = relatedPairs(vectors, channel.channel, positions, gamma);
    if (pairs.length === 0) return undefined;
    const sure = positions.filter((k) => isComparable(vectors, k));
    const undecided = positions.filter((k) => !sure.includes(k));
    const groups = sure.length >= 2 ? groupClasses(vectors, sure, {gamma}).groups : sure.map((k) => [k]);
    const ordered = [...groups.flat(), ...undecided];
    const outside = (local: readonly number[]) => local.map((k) => channel.classes[k]);
    const stats = statisticsOf(channel);
    return {
      channel: channel.channel,
      classes: outside(ordered),
      cosines: Float64Array.from(ordered.flatMap((a) => ordered.map((b) => (a === b ? 1 : vectors.cosine(a, b))))),
      concepts: groups.map((group) => ({classes: outside(group), arv: makeConcept(stats, 0, group).arv})),
      undecided: outside(undecided),
      pairs: pairs
        .filter(({decision}) => decision === 'different')
        .map((pair) => ({...pair, classes: outside(pair.classes) as [number, number]})),
      lowestCosine: pairs.find(({decision}) => decision !== 'undecided')?.cosine ?? NaN,
    };
  }

  function concepts(wanted: number, groups: readonly (readonly number[])[]): DetailConcept[] {
    const channel = byChannel.get(wanted);
    if (!channel) return [];
    return groups.map((classes) => {
      const local = classes.map((k) => channel.classes.indexOf(k));
      return {classes: [...classes], arv: makeConcept(statisticsOf(channel), 0, local).arv};
    });
  }

  return {overview, detail, concepts};
}

/** Runs an overview to its end at once. */
export function complete<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
