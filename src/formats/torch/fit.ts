/**
 * Where a known architecture's weights stand in a checkpoint: the state dict is the one dict and prefix under which every name
 * of the architecture exists in its shape.
 */
import {expectedWeights, type Architecture} from '../architectures';
import {isCounter, plainNames} from './names';
import type {NumpyArray} from './numpyArray';
import type {StateDict} from './stateDicts';
import type {TorchTensor} from './torchPickle';

type Stored = TorchTensor | NumpyArray;

/** How one dict and prefix fit an architecture; they fit where nothing is missing, reshaped or foreign. */
export interface Fit {
  architecture: Architecture;
  state: StateDict;
  /** What stands before every name, wrappers' parts left out, e.g. `backbone.`. */
  prefix: string;
  classes: number;
  /** By the architecture's names: the tensor, and what it is multiplied by (torch.nn.utils.prune). */
  weights: Map<string, {stored: string; tensor: Stored; mask?: Stored}>;
  missing: string[];
  /** Weights that are there in another shape. */
  reshaped: string[];
  /** Tensors inside the network's own modules that it does not have: another network. */
  foreign: string[];
  /** Everything else in the dict. */
  leftOut: string[];
  /** The last layer's module where it stands within another one, e.g. `fc.1`. */
  head?: string;
}

/** Weights that do not fit. */
export const misfits = ({missing, reshaped, foreign}: Fit): number => missing.length + reshaped.length + foreign.length;

/** Whether the prefix ends inside one of the network's own modules: another module's weights, called as the network's first ones are. */
export function isInside({architecture, prefix}: Fit): boolean {
  const modules = modulesOf(architecture);
  return prefix.split(/[./:]/).some((part) => modules.has(part));
}

/** First parts of the weights' names. */
const modulesOf = (architecture: Architecture) =>
  new Set([...shapesFor(architecture).keys()].map((key) => key.split('.')[0]));

/** More prefixes than this are not tried. */
const MAX_PREFIXES = 64;

const shapesOf = new Map<string, Map<string, number[]>>();

/** Names and shapes for one class; made once. */
function shapesFor({name}: Architecture): Map<string, number[]> {
  const shapes = shapesOf.get(name) ?? expectedWeights(name, 1);
  shapesOf.set(name, shapes);
  return shapes;
}

/** How an architecture fits a dict of tensors, under each prefix that is possible; the best first. */
export function fitsIn(architecture: Architecture, state: StateDict): Fit[] {
  const plain = plainNames([...state.tensors.keys()]);
  /** Stored names by plain ones. */
  const names = new Map([...plain].map(([stored, name]) => [name, stored]));
  const fits = prefixesIn(architecture, names).map((prefix) => fitUnder(architecture, state, names, prefix));
  return fits.sort((a, b) => misfits(a) - misfits(b) || a.prefix.length - b.prefix.length);
}

/** What stands before the first weight's name, wherever that is found. */
function prefixesIn(architecture: Architecture, names: ReadonlyMap<string, string>): string[] {
  const first = [...shapesFor(architecture).keys()][0];
  const prefixes = new Set<string>(['']);
  for (const name of names.keys()) {
    const whole = name.replace(/_orig$/, '');
    if (!whole.endsWith(first)) continue;
    const prefix = whole.slice(0, -first.length);
    if (/[./:]$/.test(prefix)) prefixes.add(prefix);
    if (prefixes.size >= MAX_PREFIXES) break;
  }
  return [...prefixes];
}

function fitUnder(
  architecture: Architecture,
  state: StateDict,
  names: ReadonlyMap<string, string>,
  prefix: string,
): Fit {
  const shapes = shapesFor(architecture);
  const headModule = architecture.head.replace(/\.weight$/, '');
  const tensorOf = (name: string) => state.tensors.get(names.get(name) ?? '');
  const head = headIn(names.keys(), prefix, headModule, (name) =>
    isHead(tensorOf(name)?.shape, shapes.get(architecture.head) as number[]),
  );
  const headWeight = head && (tensorOf(`${prefix}${head}.weight`) ?? tensorOf(`${prefix}${head}.weight_orig`));
  const classes = Math.max(1, headWeight ? (headWeight.shape.at(0) ?? 1) : 1);
  const fit: Fit = {
    architecture,
    state,
    prefix,
    classes,
    weights: new Map(),
    missing: [],
    reshaped: [],
    foreign: [],
    leftOut: [],
    ...(head && head !== headModule ? {head} : {}),
  };
  const used = new Set<string>();
  for (const [key, ofOne] of shapes) {
    const inHead = key.startsWith(`${headModule}.`);
    const shape = inHead ? [classes, ...ofOne.slice(1)] : ofOne;
    const name = prefix + (inHead && head ? head + key.slice(headModule.length) : key);
    const pruned = tensorOf(name) === undefined && tensorOf(`${name}_mask`) !== undefined;
    const at = pruned ? `${name}_orig` : name;
    const tensor = tensorOf(at);
    const mask = pruned ? tensorOf(`${name}_mask`) : undefined;
    if (!tensor) {
      fit.missing.push(key);
      continue;
    }
    used.add(at);
    if (mask) used.add(`${name}_mask`);
    if (!sameShape(tensor.shape, shape) || (mask && !sameShape(mask.shape, shape))) {
      fit.reshaped.push(`${key} is [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}]`);
    } else fit.weights.set(key, {stored: names.get(at) as string, tensor, mask});
  }
  sortLeftOvers(fit, names, used, tensorOf);
  return fit;
}

/** Everything that the architecture does not name: foreign where it stands in one of its modules and is more than a number. */
function sortLeftOvers(
  fit: Fit,
  names: ReadonlyMap<string, string>,
  used: ReadonlySet<string>,
  tensorOf: (name: string) => Stored | undefined,
): void {
  const modules = modulesOf(fit.architecture);
  for (const [name, stored] of names) {
    if (used.has(name) || isCounter(name)) continue;
    const inside = name.startsWith(fit.prefix) && modules.has(name.slice(fit.prefix.length).split('.')[0]);
    const size = tensorOf(name)?.shape.reduce((product, length) => product * length, 1) ?? 0;
    if (inside && size > 1) fit.foreign.push(stored);
    else fit.leftOut.push(stored);
  }
}

/** The last layer's module: its own name, or the one module within it whose weight could be it. */
function headIn(
  names: Iterable<string>,
  prefix: string,
  module: string,
  couldBe: (name: string) => boolean,
): string | undefined {
  const within: string[] = [];
  for (const name of names) {
    if (!name.startsWith(`${prefix}${module}.`)) continue;
    const plain = name.slice(prefix.length).replace(/\.weight(_orig)?$/, '');
    if (plain === module) return module;
    if (/\.weight$/.test(name) && couldBe(name)) within.push(plain);
  }
  return within.length === 1 ? within[0] : undefined;
}

/** Whether only the number of classes differs. */
function isHead(shape: readonly number[] | undefined, ofOne: readonly number[]): boolean {
  return shape !== undefined && sameShape(shape.slice(1), ofOne.slice(1)) && shape[0] >= 1;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
