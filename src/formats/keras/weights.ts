import {InputError} from '../../common/errors';
import type {Weight} from '../../network/graph';

/** Where a layer stands in its file, in the two ways in which files name weights. */
export interface LayerPlace {
  /** What the layer is called in messages. */
  owner: string;
  /** Names of the models around it, then its own. */
  path: readonly string[];
  /** The same by class and count, as `.keras` archives do it: `['functional', 'conv2d_7']`. */
  counters: readonly string[];
}

export interface WantedWeight {
  name: string;
  shape: readonly number[];
  /** Further names of it, e.g. in older files. */
  aliases?: readonly string[];
}

/** The arrays of a file. */
export interface WeightSource {
  /**
   * @param wanted the layer's arrays in Keras' order
   * @throws InputError where one is missing or has another shape
   */
  take(place: LayerPlace, wanted: readonly WantedWeight[]): Weight[];
  /** Whether the file has arrays for the layer. */
  has(place: LayerPlace, name: string): boolean;
  /** Names of arrays that no layer took. */
  unused(): string[];
  /** Layers whose arrays were found by their order, since no name fits. */
  byOrder(): string[];
}

export interface StoredArray {
  /** `sequential/conv1/kernel`, also with `:0` at its end. */
  name: string;
  shape: number[];
  data: () => Float32Array;
}

interface Entry {
  array: StoredArray;
  owner: string[];
  base: string;
  used: boolean;
}

const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;
const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/**
 * Arrays named by layer. Names may carry a prefix (`sequential/conv1/kernel`), lack the models around the layer, or end in a count
 * (`kernel_1`): the owner that fits best is taken, in the file's order among equals; where no name fits, the next owner in the file's
 * order whose arrays have the very shapes.
 */
export class NamedWeights implements WeightSource {
  private readonly entries: Entry[];
  private readonly groups = new Map<string, Entry[]>();
  private readonly ordered: string[] = [];

  /** @param layers names of all layers: an owner called as another layer is not given away by order */
  constructor(
    arrays: readonly StoredArray[],
    private readonly layers: ReadonlySet<string>,
  ) {
    this.entries = arrays.map((array) => {
      const segments = array.name.replace(/:\d+$/, '').split('/').filter(Boolean);
      const base = segments.pop() ?? '';
      return {array, owner: segments, base, used: false};
    });
    for (const entry of this.entries) {
      const key = entry.owner.join('/');
      this.groups.set(key, [...(this.groups.get(key) ?? []), entry]);
    }
  }

  has(place: LayerPlace, name: string): boolean {
    return this.ownersOf(place).some((group) => pick(group, {name, shape: []}) !== undefined);
  }

  take(place: LayerPlace, wanted: readonly WantedWeight[]): Weight[] {
    if (wanted.length === 0) return [];
    const named = this.ownersOf(place);
    let picked = named.map((group) => pickAll(group, wanted)).find((found) => found !== undefined);
    if (!picked) {
      const byOrder = [...this.groups.values()].find(
        (group) => !this.layers.has(group[0].owner.at(-1) ?? '') && pickAll(group, wanted, true) !== undefined,
      );
      if (named.length === 0 && byOrder) {
        picked = pickAll(byOrder, wanted, true);
        // Arrays without any layer's name say nothing else.
        if (byOrder[0].owner.length > 0) this.ordered.push(place.owner);
      }
    }
    if (!picked) throw this.missing(place, wanted, named);
    return picked.map((entry, at) => {
      const {shape} = wanted[at];
      if (!sameShape(entry.array.shape, shape)) throw wrongShape(place, wanted[at], entry.array.shape);
      entry.used = true;
      return {name: wanted[at].name, shape: [...shape], data: entry.array.data()};
    });
  }

  unused(): string[] {
    return this.entries.filter(({used}) => !used).map(({array}) => array.name);
  }

  byOrder(): string[] {
    return this.ordered;
  }

  /** Groups of arrays that carry the layer's name, the best first. */
  private ownersOf({path}: LayerPlace): Entry[][] {
    const scored = [...this.groups.values()]
      .filter((group) => group.some(({used}) => !used))
      .map((group) => ({group, score: fit(group[0].owner, path)}))
      .filter(({score}) => score > 0);
    return scored.sort((a, b) => b.score - a.score).map(({group}) => group);
  }

  private missing(place: LayerPlace, wanted: readonly WantedWeight[], owners: Entry[][]): InputError {
    const [group] = owners;
    const absent = wanted.find((weight) => !group || pick(group, weight) === undefined) ?? wanted[0];
    const has = group ? `; the file has ${group.map(({base}) => base.slice(0, 40)).join(', ')} for it` : '';
    return new InputError(
      `the weights of ${place.owner} are not in the file: ${absent.name} ${shapeText(absent.shape)} is missing${has}; the weights are of another network, or incomplete`,
    );
  }
}

/** How well an array's owner fits a layer: 0 not at all. */
function fit(owner: readonly string[], path: readonly string[]): number {
  const own = path[path.length - 1];
  // A layer's name may itself hold slashes.
  const joined = owner.join('/');
  const full = path.join('/');
  if (joined === full) return 1000;
  if (joined.endsWith(`/${full}`)) return 900;
  if (joined === own) return 800;
  if (!joined.endsWith(`/${own}`) && !owner.includes(own)) return 0;
  let at = 0;
  let shared = 0;
  for (const segment of owner) {
    const found = path.indexOf(segment, at);
    if (found >= 0) {
      shared += 1;
      at = found + 1;
    }
  }
  return (joined.endsWith(`/${own}`) ? 400 : 100) + shared;
}

const namesOf = (wanted: WantedWeight) => [wanted.name, ...(wanted.aliases ?? [])];

/** The array of a name in an owner's group: exactly, or with a count at its end. */
function pick(group: readonly Entry[], wanted: WantedWeight, taken?: ReadonlySet<Entry>): Entry | undefined {
  const free = group.filter((entry) => !entry.used && !taken?.has(entry));
  return (
    free.find(({base}) => namesOf(wanted).includes(base)) ??
    free.find(({base}) => namesOf(wanted).includes(base.replace(/_\d+$/, '')))
  );
}

function pickAll(group: readonly Entry[], wanted: readonly WantedWeight[], exactShape = false): Entry[] | undefined {
  const taken = new Set<Entry>();
  for (const weight of wanted) {
    const free = group.filter((entry) => !entry.used && !taken.has(entry));
    // An array that is named otherwise but alone of its shape and place counts too, e.g. `variable_3`.
    const entry =
      pick(group, weight, taken) ??
      (free.length === wanted.length - taken.size && free.every(({base}) => /^(variable|param)?_?\d*$/.test(base))
        ? free[0]
        : undefined);
    if (!entry || (exactShape && !sameShape(entry.array.shape, weight.shape))) return undefined;
    taken.add(entry);
  }
  return [...taken];
}

export function wrongShape(place: LayerPlace, wanted: WantedWeight, found: readonly number[]): InputError {
  return new InputError(
    `${wanted.name} of ${place.owner} is ${shapeText(found)} in the file, and the network needs ${shapeText(wanted.shape)}; the weights are of another network, or damaged`,
  );
}
