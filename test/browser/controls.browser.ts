import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {notebookOf} from '../kernel/jupyter';
import {codeCells, hasRun, openNotebook, outputsIn, runCell} from './labPage';
import {withLab} from './setting';

const SET_UP = `import {controls, slider} from 'unweave';
import {renderVegaSvg, svgHtml} from 'unweave/dist/report/display';`;
const CONTROLS = `await controls({rho: slider(0, 1, {step: 0.05, value: 0.5})}, ({rho}) =>
  svgHtml(renderVegaSvg({width: 200, height: 40, data: {values: [{rho}]}, mark: 'bar',
    encoding: {x: {field: 'rho', type: 'quantitative', scale: {domain: [0, 1]}}}}), 'rho is ' + rho.toFixed(2)));`;

test('a moved slider changes a picture that the kernel draws, ten times out of ten', async (t) => {
  await withLab(t, async ({lab, root, newPage, artefacts}) => {
    writeFileSync(path.join(root, 'controls.ipynb'), JSON.stringify(notebookOf([SET_UP, CONTROLS])));
    const {page} = await newPage();
    await openNotebook(page, lab, 'controls.ipynb', {kernel: true});
    await runCell(page, 0);
    await runCell(page, 1);
    const cell = codeCells(page).nth(1);
    const picture = outputsIn(cell).locator('img');
    const handle = cell.locator('.noUi-handle');
    await handle.waitFor({timeout: 60_000});
    assert.equal(await picture.getAttribute('alt'), 'rho is 0.50');
    let before = await picture.getAttribute('src');
    for (let move = 1; move <= 10; move++) {
      await handle.focus();
      await page.keyboard.press(move <= 5 ? 'ArrowRight' : 'ArrowLeft');
      const rho = (0.5 + 0.05 * (move <= 5 ? move : 10 - move)).toFixed(2);
      await outputsIn(cell).locator(`img[alt="rho is ${rho}"]`).waitFor({timeout: 60_000});
      const after = await picture.getAttribute('src');
      assert.notEqual(after, before, `move ${move}`);
      before = after;
    }
    await page.screenshot({path: path.join(artefacts, 'controls.png')});
  });
});

test('controls of a cell that runs as soon as the notebook is drawn are there, and answer', async (t) => {
  await withLab(t, async ({lab, root, newPage}) => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const file = `early-${attempt}.ipynb`;
      writeFileSync(path.join(root, file), JSON.stringify(notebookOf([`${SET_UP}\n${CONTROLS}`])));
      const {page} = await newPage();
      await openNotebook(page, lab, file, {kernel: true});
      const cell = codeCells(page).first();
      await cell.locator('.cm-content').click();
      await page.keyboard.press('Shift+Enter');
      await hasRun(cell);
      const handle = cell.locator('.noUi-handle');
      await handle.waitFor({timeout: 60_000});
      await handle.focus();
      await page.keyboard.press('ArrowRight');
      await outputsIn(cell).locator('img[alt="rho is 0.55"]').waitFor({timeout: 60_000});
      await page.close();
    }
  });
});
