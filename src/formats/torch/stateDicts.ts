/** Finds the dicts of tensors in what a checkpoint holds, wherever they are nested. */
import {printableName} from '../../common/printable';
import {isNumpyArray, type NumpyArray} from './numpyArray';
import {isBlank, isGlobal} from './pickle';
import {isTensor, type TorchTensor} from './torchPickle';

/** A dict (or a list of pairs) of names to tensors, and where in the file's object it stands. */
export interface StateDict {
  /** Keys from the outermost object, e.g. `state_dict` or `checkpoint.model`; empty for the outermost itself. */
  path: string;
  tensors: Map<string, TorchTensor | NumpyArray>;
  /** Names beside the tensors whose values are Python objects, with their types. */
  unread: Map<string, string>;
}

const MAX_DEPTH = 12;
const MAX_VISITED = 100_000;

/** Every dict that holds a tensor under a text, outer ones first. What is shared is visited once. */
export function stateDictsIn(root: unknown): StateDict[] {
  const found: StateDict[] = [];
  const visited = new Set<unknown>();
  let level: {path: string; value: unknown}[] = [{path: '', value: root}];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth += 1) {
    const next: typeof level = [];
    for (const {path, value} of level) {
      if (visited.has(value) || visited.size >= MAX_VISITED) continue;
      visited.add(value);
      const entries = entriesOf(value);
      const named = Array.isArray(value) ? pairsOf(value) : entries;
      const state = stateDictOf(path, named);
      if (state.tensors.size > 0) found.push(state);
      for (const [key, inner] of entries) {
        if (entriesOf(inner).length > 0) next.push({path: joined(path, key), value: inner});
      }
    }
    level = next;
  }
  return found;
}

function joined(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** Items of a dict under texts, items of a list under their positions; nothing of anything else. */
function entriesOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return value.map((item: unknown, i): [number, unknown] => [i, item]);
  const dict = value instanceof Map ? value : isBlank(value) ? value.items : undefined;
  if (!dict) return [];
  return [...dict].filter((item): item is [string, unknown] => typeof item[0] === 'string');
}

/** list(state_dict.items()) */
function pairsOf(list: readonly unknown[]): [string, unknown][] {
  return list.filter(
    (pair): pair is [string, unknown] => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string',
  );
}

function stateDictOf(path: string, entries: readonly (readonly [string | number, unknown])[]): StateDict {
  const tensors = new Map<string, TorchTensor | NumpyArray>();
  const unread = new Map<string, string>();
  for (const [key, value] of entries) {
    if (typeof key !== 'string') continue;
    if (isTensor(value) || isNumpyArray(value)) tensors.set(key, value);
    else if (isBlank(value)) unread.set(key, value.name);
  }
  return {path, tensors, unread};
}

/** What the outermost object is, for a message: its keys, if it has any. */
export function describeRoot(root: unknown): string {
  if (root instanceof Map) {
    const keys = [...root].slice(0, 8).map(([key, value]) => {
      const type = isBlank(value) || isGlobal(value) ? ` (a ${printableName(value.name)})` : '';
      return `${printableName(key, 40)}${type}`;
    });
    return keys.length > 0 ? `a dict with the keys ${keys.join(', ')}` : 'an empty dict';
  }
  return Array.isArray(root) ? 'a list' : 'no dict';
}

/** The type of an object that stands where a whole network would, `torch.save(model)`; undefined where none does. */
export function wholeModelIn(root: unknown): string | undefined {
  if (isBlank(root) || isGlobal(root)) return root.name;
  if (!(root instanceof Map)) return undefined;
  const likely = ['model', 'net', 'network', 'module', 'ema'].map((key): unknown => root.get(key)).find(isBlank);
  return likely?.name;
}
