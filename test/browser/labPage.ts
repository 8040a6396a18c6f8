import type {Locator, Page} from 'playwright-core';
import type {Lab} from './lab';

/**
 * Opens a notebook in JupyterLab and waits until its cells are drawn.
 * @param kernel waits also until its cells can be run: before, JupyterLab drops the wish. @default false
 */
export async function openNotebook(page: Page, lab: Lab, file: string, {kernel = false} = {}): Promise<void> {
  await page.goto(lab.address(file), {waitUntil: 'domcontentloaded'});
  await page.waitForSelector('.jp-Notebook .jp-Cell', {timeout: 60_000});
  if (!kernel) return;
  const toolbar = page.locator('.jp-NotebookPanel-toolbar');
  await toolbar.locator('.jp-KernelName').filter({hasNotText: 'No Kernel'}).waitFor({timeout: 60_000});
  await toolbar.locator('.jp-Notebook-ExecutionIndicator:not([data-status="initializing"])').waitFor({timeout: 60_000});
}

export function codeCells(page: Page): Locator {
  return page.locator('.jp-Notebook .jp-CodeCell');
}

/** Outputs of a cell or of the whole notebook, one element each. */
export function outputsIn(within: Page | Locator): Locator {
  return within.locator('.jp-OutputArea-child .jp-OutputArea-output');
}

/** Runs one cell by Shift+Enter and waits until it has its number. */
export async function runCell(page: Page, index: number): Promise<void> {
  const cell = codeCells(page).nth(index);
  await cell.locator('.cm-content').click();
  await page.keyboard.press('Shift+Enter');
  await hasRun(cell);
}

/** Runs all cells by the menu and waits until each code cell with a source has its number. */
export async function runAll(page: Page, timeout = 120_000): Promise<void> {
  await page.locator('.lm-MenuBar-item', {hasText: /^Run$/}).click();
  await page.locator('.lm-Menu-item', {hasText: /^Run All Cells$/}).click();
  const cells = codeCells(page);
  for (let i = 0; i < (await cells.count()); i++) {
    if ((await cells.nth(i).locator('.cm-content').innerText()).trim()) await hasRun(cells.nth(i), timeout);
  }
}

/** Waits until a cell that was started has ended. */
export async function hasRun(cell: Locator, timeout = 60_000): Promise<void> {
  await cell.locator('.jp-InputPrompt', {hasText: /\[\d+\]/}).waitFor({timeout});
}
