import {numberText} from '../../src/common/numbers';
import assert from 'node:assert/strict';
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {execFile} from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import type {Browser, Locator, Page} from 'playwright-core';
import {interactiveHtml, standalonePage, trusted} from '../../src/report/display';
import {explorePage} from '../../src/explore';
import {pack, select} from '../../src/explore/pack';
import {pageScript} from '../../src/explore/pageScript';
import type {Grid, Knob, Settings} from '../../src/explore/page/explored';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {saveStatistics} from '../../src/relevance/store';
import {sourceOwners} from '../../src/split/sources';
import {bundleExplore, kernelFinds, NASTY, picturesFor, settingsAt} from '../explore/exploreSetting';
import {execute, notebookOf, repository} from '../kernel/jupyter';
import {syntheticStatistics} from '../reference/syntheticStatistics';
import {uniform} from '../reference/smallNetworks';
import {launchBrowser, openPage, type WatchedPage} from './browser';
import {ensureChromium} from './environment';
import {codeCells, openNotebook, outputsIn, runAll, runCell} from './labPage';
import {withLab} from './setting';

const run = promisify(execFile);
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

function nastyStatistics(): RelevanceStatistics {
  const stats = syntheticStatistics({seed: 5, classes: NASTY.length, outputs: 20, inputs: 40, images: 140});
  stats.classNames = NASTY;
  return stats;
}

/** A finished panel. */
async function settled(within: Page | Locator): Promise<Locator> {
  const panel = within.locator('.panel:not([aria-busy])');
  await panel.first().waitFor();
  return panel;
}

async function turn(panel: Locator, grid: Grid, settings: Settings): Promise<void> {
  for (const knob of Object.keys(grid) as Knob[]) {
    await panel.locator(`[data-knob=${knob}]`).fill(String(grid[knob].indexOf(settings[knob])));
  }
}

/** What the panel says, and what the kernel finds. */
async function assertAgrees(panel: Locator, stats: RelevanceStatistics, settings: Settings): Promise<void> {
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
async function assertSources(panel: Locator, stats: RelevanceStatistics, settings: Settings): Promise<void> {
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

test('the panel works in JupyterLab, rests where a notebook is not trusted, and works in exported HTML', async (t) => {
  if (!existsSync(path.join(repository, 'dist', 'explore', 'index.js'))) return t.skip('the package is not built');
  await withLab(t, async ({lab, jupyter, venv, root, newPage}) => {
    const stats = nastyStatistics();
    const options = {tau: 0.05, p: 0.4};
    const {grid} = select(stats, options, 4e6).explored;
    const folder = path.join(root, 'stats');
    await saveStatistics(stats, folder);
    const notebook = notebookOf([
      `import {loadStatistics} from 'unweave';\nimport {explore} from 'unweave/dist/explore';`,
      `const stats = await loadStatistics(${JSON.stringify(folder)});\nconst panel = await explore(stats, ${JSON.stringify(options)});`,
      'console.log(`ρ ${panel.settings.rho}, ${panel.found.length} found`);',
    ]);
    writeFileSync(path.join(root, 'explore.ipynb'), JSON.stringify(notebook));
    const settings = {tau: grid.tau[3], p: 0.6, gamma: 0.35, rho: 0.7};
    const live = await newPage();
    await openNotebook(live.page, lab, 'explore.ipynb', {kernel: true});
    await runAll(live.page);
    const panel = await settled(outputsIn(live.page));
    await turn(panel, grid, settings);
    await assertAgrees(panel, stats, settings);
    await assertSources(panel, stats, settings);
    // The kernel has heard where the sliders stand.
    await runCell(live.page, 2);
    await codeCells(live.page)
      .nth(2)
      .getByText(`ρ 0.7, ${kernelFinds(stats, settings).length} found`)
      .waitFor({timeout: 60_000});
    // Keys that are shortcuts of the notebook belong to the slider here.
    const cells = await live.page.locator('.jp-Notebook .jp-Cell').count();
    const slider = panel.getByRole('slider', {name: /ρ/});
    for (const key of ['ArrowUp', 'd', 'd', 'a', 'b', 'ArrowUp']) await slider.press(key);
    assert.equal(await live.page.locator('.jp-Notebook .jp-Cell').count(), cells);
    assert.equal(await slider.getAttribute('aria-valuetext'), '0.8');
    await live.page.screenshot({path: path.join(artefacts, 'explore-lab.png')});
    await live.page.close();

    // What another front end has run is not trusted here.
    const {notebook: executed} = await execute(notebook, {folder: root});
    const file = path.join(root, 'from-elsewhere.ipynb');
    writeFileSync(file, JSON.stringify(executed));
    lab.setTheme('dark');
    const untrusted = await newPage();
    await openNotebook(untrusted.page, lab, 'from-elsewhere.ipynb');
    const still = outputsIn(untrusted.page);
    await still.locator('img').first().waitFor();
    assert.equal(await still.locator('.panel').count(), 0);
    const found = kernelFinds(stats, {...settings, ...options, gamma: 0.5});
    const words = `${found.candidates.length} of 20 channels are relevant to at least two classes; ${found.length} polysemantic`;
    assert.ok((await still.allInnerTexts()).join().includes(words));
    const width = await still
      .locator('img')
      .first()
      .evaluate((image) => (image as HTMLImageElement).naturalWidth);
    assert.ok(width > 100);
    await untrusted.page.screenshot({path: path.join(artefacts, 'explore-untrusted-dark.png')});
    await untrusted.page.close();

    const nbconvert = path.join(venv, 'bin', 'jupyter-nbconvert');
    await run(nbconvert, ['--to', 'html', file], {env: jupyter.env});
    const exported = await newPage();
    await exported.page.context().setOffline(true);
    await exported.page.goto(pathToFileURL(file.replace('.ipynb', '.html')).href);
    const offline = await settled(exported.page);
    await turn(offline, grid, settings);
    await assertAgrees(offline, stats, settings);
  });
});
