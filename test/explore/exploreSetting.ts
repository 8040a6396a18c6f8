import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {findPolysemantic} from '../../src/concepts/find';
import type {PolysemanticChannels} from '../../src/concepts/types';
import {imagesFromPixels} from '../../src/images/inMemory';
import type {LabelledImages} from '../../src/images/types';
import type {Grid, Settings} from '../../src/explore/page/explored';
import type {RelevanceStatistics} from '../../src/numerics/statistics';

/** Class names that would do harm, or look wrong, if they were anything but text. */
export const NASTY = [
  '<img src=x onerror="document.title=1">',
  '</script><b>bold</b>',
  `"quoted" & 'single' \`\${tick}\``,
  'שלום עולם (1)',
  '👩‍🚀 emoji',
  'two\nlines',
  'a name that goes on and on until no table has room for it any more',
];

/** Bundles the panel's script, into the package unless another folder is given. @returns the files that went into it */
export async function bundleExplore(folder?: string): Promise<string[]> {
  const script = path.join(__dirname, '..', '..', 'scripts', 'bundle-explore.mjs');
  const module = (await import(pathToFileURL(script).href)) as {bundleExplore(folder?: string): Promise<string[]>};
  return module.bundleExplore(folder);
}

/** What the kernel finds where the panel's knobs stand, by the vectors that the panel has. */
export function kernelFinds(
  stats: RelevanceStatistics,
  {tau, p, gamma, arv = 'published'}: Settings,
): PolysemanticChannels {
  return findPolysemantic(stats, {tau, p, gamma, arv});
}

/** Settings on the grid from numbers from 0 to 1. */
export function settingsAt(grid: Grid, [tau, p, gamma, rho]: readonly number[]): Settings {
  const pick = (values: readonly number[], share: number) =>
    values[Math.min(values.length - 1, Math.floor(share * values.length))];
  return {tau: pick(grid.tau, tau), p: pick(grid.p, p), gamma: pick(grid.gamma, gamma), rho: pick(grid.rho, rho)};
}

/** Plain pictures for the statistics' images. */
export function picturesFor({images}: RelevanceStatistics): LabelledImages {
  const side = 24;
  return imagesFromPixels({
    name: 'stripes',
    height: side,
    width: side,
    labels: images.labels,
    paths: images.paths,
    pixels: (image) => {
      const k = images.labels[image];
      const value = (at: number) =>
        40 * (((Math.floor(at / 3) % side) >> (1 + (k % 3))) % 2) + 23 * (k + (at % 3)) + image;
      return Uint8Array.from({length: side * side * 3}, (_, at) => value(at) % 256);
    },
  });
}
