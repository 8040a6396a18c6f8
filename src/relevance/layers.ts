import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import type {LabelledImages} from '../images/types';
import type {Model} from '../network/types';
import {listed, type RelevanceStatistics} from '../numerics/statistics';
import {collect} from './collect';
import {MANIFEST} from './manifest';
import type {CollectLayersOptions} from './options';
import {loadStatistics} from './store';

/**
 * Layers that the names or patterns mean, in the network's order; `*` stands for any letters.
 * @throws InputError for one that means none
 */
export function matchingLayers(model: Model, patterns: readonly string[]): string[] {
  const names = model.layers().map(({name}) => name);
  const chosen = new Set<string>();
  for (const pattern of patterns) {
    const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const wanted = new RegExp(`^${parts.join('.*')}$`);
    const found = names.filter((name) => wanted.test(name));
    if (found.length === 0)
      throw new InputError(`no layer "${pattern}"; layers that can be analysed: ${listed(names, 20)}`);
    for (const name of found) chosen.add(name);
  }
  return names.filter((name) => chosen.has(name));
}

/** A layer's folder inside the folder of all. */
export const layerFolder = (out: string, layer: string) => path.join(out, layer.replace(/[^\w.-]/g, '_'));

/**
 * The statistics of several layers from one pass: one forward pass, one backward pass to the earliest of them. With `out`, each layer has a
 * folder of its own inside.
 * @returns by layer, in the network's order
 * @throws InputError as `collectRelevance`; for two layers whose folders would have one name
 */
export async function collectLayers(
  model: Model,
  images: LabelledImages,
  {layers, out, ...options}: CollectLayersOptions,
): Promise<Record<string, RelevanceStatistics>> {
  const names = matchingLayers(model, layers);
  const targets = names.map((layer) => ({layer, out: out === undefined ? undefined : layerFolder(out, layer)}));
  const twice = targets.find((target, at) => target.out && targets.findIndex((other) => other.out === target.out) < at);
  if (twice)
    throw new InputError(`two layers would be written to "${twice.out}"; collect them into folders of their own`);
  const stats = await collect(model, images, targets, options);
  return Object.fromEntries(names.map((name, at) => [name, stats[at]]));
}

/**
 * The statistics of all layers in a folder that `collectLayers` wrote, in the order in which the network has them as far as their names tell it
 * (`layer2` before `layer10`).
 * @throws InputError where there are none
 */
export async function loadLayers(folder: string): Promise<Record<string, RelevanceStatistics>> {
  const entries = await readdir(folder, {withFileTypes: true}).catch(() => {
    throw new InputError(`no folder "${folder}"; give one that unweave collect made of several layers`);
  });
  const isOne = entries.some(({name}) => name === MANIFEST);
  const inside = entries.filter((entry) => entry.isDirectory()).map(({name}) => path.join(folder, name));
  const found: RelevanceStatistics[] = [];
  for (const place of isOne ? [folder] : inside) {
    const names = await readdir(place);
    if (names.includes(MANIFEST)) found.push(await loadStatistics(place));
  }
  if (found.length === 0)
    throw new InputError(
      `no statistics of layers in "${folder}"; collect them with several layers and an output folder`,
    );
  const {compare} = new Intl.Collator('en', {numeric: true});
  found.sort((a, b) => compare(a.layer.name, b.layer.name));
  return Object.fromEntries(found.map((stats) => [stats.layer.name, stats]));
}
