import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import type {Page} from 'playwright-core';
import {notebookOf} from '../kernel/jupyter';
import {checkNotebook, type View} from './checkNotebook';
import {codeCells, openNotebook, outputsIn, runAll} from './labPage';
import {textContrast} from './rendered';
import {withLab} from './setting';

const NAMES = ['<img src=x onerror=alert(1)>', `"quoted" & 'single'`, '👩‍🚀 emoji', 'שלום (1)', 'plain'];
const CELLS = [
  `import * as display from 'unweave/dist/report/display';
import {startTask} from 'unweave/dist/common/progress';
const names = ${JSON.stringify(NAMES)};
const bars: any = {title: 'Shares', width: 300, data: {values: names.map((name, i) => ({name, share: (i + 1) / 5}))}, mark: 'bar',
  encoding: {y: {field: 'name', type: 'nominal'}, x: {field: 'share', type: 'quantitative'}, color: {field: 'name', type: 'nominal', legend: null}}};`,
  `void display.emit(display.chartBundle(bars));`,
  `void display.emit(display.interactiveChartBundle(bars));`,
  `void display.emit(display.interactiveChartBundle({...bars, title: 'Again'}));`,
  `void display.emit(display.tableBundle(['class', 'share'], names.map((name, i) => [name, i / 7]), {caption: names[3]}));`,
  `void display.emit(display.imageBundle(display.renderVegaPng(bars), {alt: 'bars', width: 300}));`,
  `void display.emit(display.plotlyBundle({data: [{z: [[1, 2], [3, 4]], type: 'heatmap'}], layout: {title: {text: 'Plotly'}, width: 400, height: 300}}));`,
  `const task = startTask({label: 'collecting', total: 10, unit: 'images'}, display.notebookProgress());
for (let i = 0; i < 10; i++) task.advance(1);
task.finish('done');`,
];

/** The picture that stands still, and the one that scripts draw, of an interactive chart. */
async function drawings(page: Page, view: View, cell: number): Promise<[still: number, live: number]> {
  const outputs =
    view === 'exported' ? page.locator('.jp-OutputArea-output').nth(cell - 1) : outputsIn(codeCells(page).nth(cell));
  return [await outputs.locator('img').count(), await outputs.locator('canvas').count()];
}

test('every kind of output is shown in each view of a notebook', async (t) => {
  await withLab(t, async (setting) => {
    const file = path.join(setting.root, 'outputs.ipynb');
    writeFileSync(file, JSON.stringify(notebookOf(CELLS)));
    const notebook = await checkNotebook(setting, file, {
      async look(page, view) {
        const scripts = !view.startsWith('untrusted');
        assert.deepEqual(await drawings(page, view, 1), view === 'exported' ? [1, 0] : [0, 1], view);
        for (const cell of [2, 3]) assert.deepEqual(await drawings(page, view, cell), scripts ? [0, 1] : [1, 0], view);
        const table = page.locator('td bdi');
        assert.deepEqual(
          (await table.allInnerTexts()).map((text) => text.trim()),
          NAMES,
        );
        assert.ok((await textContrast(table.first())) > 4.5, `${view}: the table is hard to read`);
        if (scripts) await page.locator('.js-plotly-plot .main-svg').first().waitFor();
      },
    });
    const sizes = notebook.cells.map((cell) => JSON.stringify(cell.outputs).length);
    t.diagnostic(`bytes of the outputs: ${sizes.join(', ')}`);
    assert.ok(sizes[1] < 60_000 && sizes[3] < 60_000 && sizes[4] < 10_000, 'a chart and a table cost kilobytes');
  });
});

test('a notebook that is run in JupyterLab shows the same, and saved and opened again still does', async (t) => {
  await withLab(t, async ({lab, root, newPage}) => {
    writeFileSync(path.join(root, 'live.ipynb'), JSON.stringify(notebookOf(CELLS)));
    const {page} = await newPage({height: 3000});
    await openNotebook(page, lab, 'live.ipynb', {kernel: true});
    await runAll(page);
    const isLive = async () => {
      for (const cell of [2, 3])
        await outputsIn(codeCells(page).nth(cell)).locator('canvas').waitFor({timeout: 60_000});
    };
    await isLive();
    // The cell that carries the library carries it again when it runs again.
    await codeCells(page).nth(2).locator('.cm-content').click();
    await page.keyboard.press('Control+Enter');
    await isLive();
    await page.keyboard.press('Control+S');
    await page.locator('.jp-mod-dirty').waitFor({state: 'detached'});
    await openNotebook(page, lab, 'live.ipynb');
    await isLive();
  });
});
