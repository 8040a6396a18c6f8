import {numberText} from '../../src/common/numbers';
import assert from 'node:assert/strict';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import {pathToFileURL} from 'node:url';
import type {Browser} from 'playwright-core';
import {interactiveHtml, standalonePage, trusted} from '../../src/report/display';
import {explorePage} from '../../src/explore';
import {pack, select} from '../../src/explore/pack';
import {pageScript} from '../../src/explore/pageScript';
import {bundleExplore, kernelFinds, NASTY, picturesFor, settingsAt} from '../explore/exploreSetting';
import {repository} from '../kernel/jupyter';
import {syntheticStatistics} from '../reference/syntheticStatistics';
import {uniform} from '../reference/smallNetworks';
import {launchBrowser, openPage, type WatchedPage} from './browser';
import {ensureChromium} from './environment';
import {assertAgrees, assertSources, nastyStatistics, settled, turn} from './explorePanel';

const artefacts = path.join(repository, 'artefacts', 'browser');

before(async () => {
  await bundleExplore();
  mkdirSync(artefacts, {recursive: true});
});

/** Opens pages from files in a browser of its own; skips the test where no browser can be had. */
async function withPages(
  t: TestContext,
  body: (open: (markup: string, scheme?: 'light' | 'dark') => Promise<WatchedPage>) => Promise<void>,
): Promise<void> {
  const chromium = await ensureChromium();
  if (!chromium) return t.skip('no Chromium is installed, and it cannot be installed here');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-pages-'));
  const browser: Browser = await launchBrowser(chromium);
  try {
    await body(async (markup, scheme = 'light') => {
      const file = path.join(folder, 'page.html');
      writeFileSync(file, markup);
      const watched = await openPage(browser, {width: 1200, height: 900});
      await watched.page.emulateMedia({colorScheme: scheme});
      await watched.page.context().setOffline(true);
      await watched.page.goto(pathToFileURL(file).href);
      return watched;
    });
  } finally {
    await browser.close();
    rmSync(folder, {recursive: true});
  }
}

test('sliders move and the numbers follow, equal to findPolysemantic', async (t) => {
  await withPages(t, async (open) => {
    const stats = nastyStatistics();
    const options = {tau: 0.05, p: 0.4};
    const {grid, start} = select(stats, options, 4e6).explored;
    const {page, errors} = await open(await explorePage(stats, options));
    const panel = await settled(page);
    await assertAgrees(panel, stats, start);
    await assertSources(panel, stats, start);
    const draw = uniform(2, 0, 0.999);
    for (let move = 0; move < 25; move++) {
      const settings = settingsAt(grid, [0.7 * draw(), 0.8 * draw(), draw(), draw()]);
      await turn(panel, grid, settings);
      await assertAgrees(panel, stats, settings);
      await assertSources(panel, stats, settings);
    }
    assert.deepEqual(errors, []);
  });
});

test('keys move a slider by a step, choose a channel and compare two classes', async (t) => {
  await withPages(t, async (open) => {
    const stats = nastyStatistics();
    const options = {tau: 0.05, p: 0.4};
    const {grid, start} = select(stats, options, 4e6).explored;
    const {page} = await open(await explorePage(stats, options));
    const panel = await settled(page);
    const gamma = panel.getByRole('slider', {name: /γ difference/});
    assert.equal(await gamma.getAttribute('aria-valuetext'), '0.5');
    await gamma.press('ArrowLeft');
    assert.equal(await gamma.getAttribute('aria-valuetext'), '0.49');
    await assertAgrees(panel, stats, {...start, gamma: 0.49});
    await gamma.press('Home');
    await assertAgrees(panel, stats, {...start, gamma: grid.gamma[0]});
    assert.ok(
      (await panel.locator('.summary').innerText()).includes(
        `No pair is below γ = ${numberText(grid.gamma[0])}, which depends on the network`,
      ),
    );

    const list = panel.getByRole('listbox');
    const names = await panel
      .getByRole('option')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-channel')));
    await list.press('ArrowDown');
    await list.press('ArrowDown');
    assert.equal(await panel.locator('h3').innerText(), `Channel ${names[2]}`);
    await list.press('End');
    assert.equal(await panel.locator('h3').innerText(), `Channel ${names[names.length - 1]}`);
    await list.press('Home');

    const matrix = panel.locator('canvas');
    await matrix.press('ArrowRight');
    assert.match(await panel.locator('.readout').innerText(), / × .*: −?[01]\.\d{3}/s);
    await matrix.press('Enter');
    assert.match(await panel.locator('.concepts h4').innerText(), /Two classes compared/);
    assert.match(await panel.locator('.detail code').innerText(), /concepts: \[\[\d+\], \[\d+\]\]\}/);
    await panel.getByRole('button', {name: 'back to all concepts'}).click();
    assert.match(await panel.locator('.concepts h4').innerText(), /\d+ concepts/);
    await panel.getByLabel('let disentangle choose ρ from the images').check();
    assert.match(await panel.locator('.detail code').innerText(), /, \{images: train\}\);$/);
  });
});

test('class names are text, pictures are there, and the panel reads in light and in dark', async (t) => {
  await withPages(t, async (open) => {
    const stats = nastyStatistics();
    const markup = await explorePage(stats, {tau: 0.05, p: 0.4, images: picturesFor(stats)});
    for (const scheme of ['light', 'dark'] as const) {
      const {page, errors, blocked} = await open(markup, scheme);
      const panel = await settled(page);
      const shown = (await panel.locator('bdi').allTextContents()).join('\n');
      const detail = kernelFinds(stats, {tau: 0.05, p: 0.4, gamma: 0.5, rho: 0.5})[0];
      for (const k of detail.classes) assert.ok(shown.includes(NASTY[k]), NASTY[k]);
      assert.equal(await panel.locator('img, b:not([data-count]):not(.knob-title b)').count(), 0);
      assert.ok((await panel.getByRole('img').count()) > 4);
      const ink = await panel.evaluate((element) => getComputedStyle(element).color);
      assert.match(ink, scheme === 'dark' ? /rgb\(255, 255, 255\)/ : /rgb\(0, 0, 0\)/);
      assert.deepEqual([errors, blocked], [[], []]);
      await page.screenshot({path: path.join(artefacts, `explore-${scheme}.png`), fullPage: true});
    }
  });
});

test('two panels on a page leave each other alone', async (t) => {
  await withPages(t, async (open) => {
    const stats = nastyStatistics();
    const selection = select(stats, {tau: 0.05, p: 0.4}, 4e6);
    const view = {
      script: '(root, data, explore) => explore.start(root, data)',
      data: {data: pack(stats, selection)},
      fallback: trusted('still'),
      text: '',
      libraries: [pageScript()],
    };
    const {page, errors} = await open(
      standalonePage('two', trusted(interactiveHtml(view).html + interactiveHtml(view, []).html)),
    );
    const panels = page.locator('.panel:not([aria-busy])');
    await panels.nth(1).waitFor();
    const before = await panels.nth(0).innerText();
    await panels.nth(1).getByRole('slider', {name: /γ/}).press('End');
    await panels.nth(1).locator('.value', {hasText: /^1$/}).waitFor();
    assert.equal(await panels.nth(0).innerText(), before);
    assert.deepEqual(errors, []);
  });
});

test('statistics of one class, or of no numbers, make a panel that says so', async (t) => {
  await withPages(t, async (open) => {
    const notNumbers = nastyStatistics();
    notNumbers.inputSums.fill(NaN);
    for (const [stats, words] of [
      [syntheticStatistics({classes: 1}), /These statistics are of 1 class: a channel can be polysemantic only where/],
      [notNumbers, /0 of 0 pairs of classes below γ/],
    ] as const) {
      const {page, errors} = await open(await explorePage(stats, {tau: 0.05, p: 0.4}));
      const panel = await settled(page);
      assert.match(await panel.locator('.summary').innerText(), words);
      for (const knob of ['tau', 'p', 'gamma', 'rho']) {
        const slider = panel.locator(`[data-knob=${knob}]`);
        if (await slider.isEnabled()) await slider.press('Home');
      }
      await settled(page);
      assert.deepEqual(errors, []);
    }
  });
});
