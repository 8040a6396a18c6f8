import assert from 'node:assert/strict';
import {existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {before, test} from 'node:test';
import {select} from '../../src/explore/pack';
import {saveStatistics} from '../../src/relevance/store';
import {bundleExplore, kernelFinds} from '../explore/exploreSetting';
import {execute, notebookOf, repository} from '../kernel/jupyter';
import {assertAgrees, assertSources, nastyStatistics, settled, turn} from './explorePanel';
import {exportHtml} from './exportHtml';
import {codeCells, openNotebook, outputsIn, runAll, runCell} from './labPage';
import {withLab} from './setting';

before(async () => {
  await bundleExplore();
});

test('the panel works in JupyterLab, rests where a notebook is not trusted, and works in exported HTML', async (t) => {
  if (!existsSync(path.join(repository, 'dist', 'explore', 'index.js'))) return t.skip('the package is not built');
  await withLab(t, async ({lab, jupyter, venv, root, artefacts, newPage}) => {
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

    const address = await exportHtml(file, {venv, jupyter});
    const exported = await newPage();
    await exported.page.context().setOffline(true);
    await exported.page.goto(address);
    const offline = await settled(exported.page);
    await turn(offline, grid, settings);
    await assertAgrees(offline, stats, settings);
  });
});
