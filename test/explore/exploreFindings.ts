import assert from 'node:assert/strict';
import {pack, select} from '../../src/explore/pack';
import type {analyse, complete} from '../../src/explore/page/analysis';
import type {Explored, Settings} from '../../src/explore/page/explored';
import {unpack} from '../../src/explore/page/packed';
import type {divideSources} from '../../src/explore/page/sources';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {sourceOwners, sourceSets} from '../../src/split/sources';
import {kernelFinds} from './exploreSetting';

/** What the page computes with. */
export type Page = {analyse: typeof analyse; complete: typeof complete; divideSources: typeof divideSources};

/** The page finds what the kernel finds; cosines may differ by `tolerance`. */
export function assertSameFindings(
  stats: RelevanceStatistics,
  explored: Explored,
  at: Settings,
  page: Page,
  tolerance: number,
) {
  const found = kernelFinds(stats, at);
  const analysis = page.analyse(explored);
  const overview = page.complete(analysis.overview(at));
  const byChannel = <T extends {channel: number}>(list: readonly T[]) =>
    [...list].sort((a, b) => a.channel - b.channel);
  const candidates = byChannel(overview.candidates);
  assert.deepEqual(
    candidates.map(({channel, classes}) => ({channel, classes})),
    byChannel(found.candidates).map(({channel, classes}) => ({channel, classes})),
  );
  candidates.forEach(({lowestCosine}, i) => assertNear(lowestCosine, found.candidates[i].lowestCosine, tolerance));
  assert.equal(overview.pairs, found.cosines.length);
  assert.equal(overview.undecided, found.undecided.length);
  [...overview.cosines].sort((a, b) => a - b).forEach((value, i) => assertNear(value, found.cosines[i], tolerance));
  // A cosine that close to γ may fall on either side.
  if (found.cosines.some((value) => Math.abs(value - at.gamma) <= tolerance)) return;
  assert.equal(overview.below, found.pairs.length);
  assert.equal(overview.polysemantic, found.length);
  for (const {channel, concepts, undecided, pairs} of found) {
    const detail = analysis.detail(at, channel)!;
    assert.deepEqual(detail.undecided, undecided);
    assert.deepEqual(
      detail.concepts.map(({classes}) => classes),
      concepts.map(({classes}) => classes),
    );
    assert.deepEqual(
      detail.pairs.map(({classes}) => classes.join()).sort(),
      pairs.map(({classes}) => classes.join()).sort(),
    );
    assert.deepEqual(
      [...detail.classes].sort((a, b) => a - b),
      [...concepts.flatMap(({classes}) => classes), ...undecided].sort((a, b) => a - b),
    );
    const division = page.divideSources(
      detail.concepts.map(({arv}) => arv),
      at.rho,
    );
    const owners = sourceOwners(
      concepts.map(({arv}) => arv),
      at.rho,
    );
    if (tolerance < 1e-5) assert.deepEqual([...division.owners], [...owners]);
    sourceSets(division.owners, concepts.length).forEach((set, j) => {
      assert.deepEqual(
        [...division.sets[j]].sort((a, b) => a - b),
        set,
      );
    });
  }
}

export function assertNear(value: number, expected: number, tolerance: number) {
  if (Number.isNaN(expected)) assert.ok(Number.isNaN(value));
  else assert.ok(Math.abs(value - expected) <= tolerance, `${value} is not ${expected}`);
}

/** The statistics as the page has them. */
export async function travelled(stats: RelevanceStatistics, options = {}, budget = 4e6): Promise<Explored> {
  return unpack({data: pack(stats, select(stats, options, budget))});
}
