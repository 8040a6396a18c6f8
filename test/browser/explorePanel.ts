import {numberText} from '../../src/common/numbers';
import assert from 'node:assert/strict';
import type {Locator, Page} from 'playwright-core';
import type {Grid, Knob, Settings} from '../../src/explore/page/explored';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {sourceOwners} from '../../src/split/sources';
import {kernelFinds, NASTY} from '../explore/exploreSetting';
import {syntheticStatistics} from '../reference/syntheticStatistics';

/** Statistics whose classes have names that are not safe in a page. */
export function nastyStatistics(): RelevanceStatistics {
  const stats = syntheticStatistics({seed: 5, classes: NASTY.length, outputs: 20, inputs: 40, images: 140});
  stats.classNames = NASTY;
  return stats;
}

/** A finished panel. */
export async function settled(within: Page | Locator): Promise<Locator> {
  const panel = within.locator('.panel:not([aria-busy])');
  await panel.first().waitFor();
  return panel;
}

export async function turn(panel: Locator, grid: Grid, settings: Settings): Promise<void> {
  for (const knob of Object.keys(grid) as Knob[]) {
    await panel.locator(`[data-knob=${knob}]`).fill(String(grid[knob].indexOf(settings[knob])));
  }
}

/** What the panel says, and what the kernel finds. */
export async function assertAgrees(panel: Locator, stats: RelevanceStatistics, settings: Settings): Promise<void> {
  const found = kernelFinds(stats, settings);
  await settled(panel.page());
  if (found.candidates.length === 0)
    return assert.match(await panel.locator('.summary').innerText(), /move τ or p to the left/);
  const count = (name: string) => panel.locator(`[data-count=${name}]`).innerText();
  assert.equal(await count('candidates'), String(found.candidates.length));
  assert.equal(await count('polysemantic'), String(found.length));
  assert.equal(await count('below'), String(found.pairs.length));
  const rows = await panel.locator('.rows [data-channel]').evaluateAll((elements) =>
    elements.map((row) =>
      Array.from(row.children)
        .slice(0, 3)
        .map((cell) => (cell as HTMLElement).innerText),
    ),
  );
  const candidates = [...found.candidates].sort((a, b) => a.lowestCosine - b.lowestCosine || a.channel - b.channel);
  const text = numberText;
  assert.deepEqual(
    rows,
    candidates.map(({channel, classes, lowestCosine}) => [String(channel), String(classes.length), text(lowestCosine)]),
  );
}

/** The selected channel's sources, concept by concept, are what the split would give each. */
export async function assertSources(panel: Locator, stats: RelevanceStatistics, settings: Settings): Promise<void> {
  if ((await panel.locator('h3').count()) === 0) return;
  const heading = await panel.locator('h3').innerText();
  const channel = kernelFinds(stats, settings).find((one) => heading === `Channel ${one.channel}`);
  if (!channel) return;
  const owners = sourceOwners(
    channel.concepts.map(({arv}) => arv),
    settings.rho,
  );
  const expected = channel.concepts.map((_, j) => String(owners.filter((owner) => owner === j).length));
  assert.deepEqual(await panel.locator('[data-owned]').allInnerTexts(), expected.slice(0, 12));
  const code = await panel.locator('.detail code').innerText();
  const groups = channel.concepts.map(({classes}) => `[${classes.join(', ')}]`).join(', ');
  assert.equal(
    code,
    `const split = await uw.disentangle(model, stats, {channel: ${channel.channel}, concepts: [${groups}]}, {images: train, rho: ${settings.rho}});`,
  );
}
