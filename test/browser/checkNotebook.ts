import assert from 'node:assert/strict';
import {copyFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Page} from 'playwright-core';
import {runNotebook, textOf, type HeadlessCell, type HeadlessOutput, type HeadlessRun} from '../kernel/headless';
import {exportHtml} from './exportHtml';
import {codeCells, openNotebook, outputsIn} from './labPage';
import {everyOneRendered, fitHeight, hasCount, ownErrors} from './rendered';
import type {Setting} from './setting';

/** How an executed notebook is looked at. */
export type View = 'trusted light' | 'trusted dark' | 'untrusted light' | 'untrusted dark' | 'exported';
export const VIEWS: readonly View[] = [
  'trusted light',
  'trusted dark',
  'untrusted light',
  'untrusted dark',
  'exported',
];

export interface CheckOptions {
  /** Looks closer at a view, after all its outputs were found to show something. */
  look?: (page: Page, view: View) => Promise<void>;
  /** Cells may write to stderr, e.g. an error that is shown on purpose. @default false */
  allowErrors?: boolean;
}

/**
 * Executes a notebook, opens it in JupyterLab trusted and untrusted, light and dark, and as exported HTML without a
 * network, and asserts that each output shows something on the page and that the page has no errors of its own.
 * Screenshots go to the setting's artefacts.
 * @returns the executed notebook
 */
export async function checkNotebook(
  setting: Setting,
  file: string,
  options: CheckOptions = {},
): Promise<HeadlessRun['notebook']> {
  const {lab, root} = setting;
  const {notebook} = await runNotebook(file, {kernel: 'unweave', allowErrors: options.allowErrors});
  const code = notebook.cells.filter(({cell_type}) => cell_type === 'code');
  for (const cell of code) cell.outputs = coalesced(cell.outputs ?? []);
  if (!options.allowErrors) {
    for (const cell of code) assert.equal(textOf(cell, 'stderr'), '', [cell.source].flat().join(''));
  }

  const name = path.basename(file, '.ipynb');
  const files = {trusted: `${name}-trusted.ipynb`, untrusted: `${name}-untrusted.ipynb`};
  for (const [trust, copy] of Object.entries(files)) {
    // Jupyter trusts contents, not files: the copies must differ.
    const metadata = {...notebook.metadata, title: `${name}, ${trust}`};
    writeFileSync(path.join(root, copy), JSON.stringify({...notebook, metadata}));
  }
  await lab.trust(files.trusted);
  for (const view of VIEWS) {
    if (view === 'exported') {
      const copy = path.join(root, `${name}.ipynb`);
      copyFileSync(path.join(root, files.trusted), copy);
      await lookAtExport(setting, {name, address: await exportHtml(copy, setting), code, options});
    } else {
      const [trust, theme] = view.split(' ') as ['trusted' | 'untrusted', 'light' | 'dark'];
      lab.setTheme(theme);
      await lookAtLab(setting, {name, view, copy: files[trust], code, options});
    }
  }
  return notebook;
}

interface Looked {
  name: string;
  code: readonly HeadlessCell[];
  options: CheckOptions;
}

async function lookAtLab(
  {lab, newPage, artefacts}: Setting,
  {name, view, copy, code, options}: Looked & {view: View; copy: string},
): Promise<void> {
  const {page, errors, blocked} = await newPage();
  await openNotebook(page, lab, copy);
  const cells = codeCells(page);
  await hasCount(cells, code.length).catch(inView(`${view}, cells`));
  for (const [i, {outputs = []}] of code.entries()) {
    const shown = outputsIn(cells.nth(i));
    const where = `${view}, code cell ${i + 1}`;
    await hasCount(shown, outputs.length).catch(inView(`${where}, outputs`));
    // A widget lives as long as the kernel that made it.
    await everyOneRendered(shown, {exempt: mayBeEmpty(outputs)}).catch(inView(where));
  }
  await fitHeight(page, page.locator('.jp-Notebook .jp-Cell').last());
  await page.screenshot({path: path.join(artefacts, `${name}-${view.replace(' ', '-')}.png`)});
  await options.look?.(page, view);
  assert.deepEqual([view, ownErrors(errors), blocked], [view, [], []]);
  await page.close();
  await lab.endKernels();
}

async function lookAtExport(
  {newPage, artefacts}: Setting,
  {name, address, code, options}: Looked & {address: string},
): Promise<void> {
  const {page, errors, blocked} = await newPage();
  await page.goto(address, {waitUntil: 'domcontentloaded'});
  const shown = page.locator('.jp-OutputArea-output');
  const outputs = code.flatMap((cell) => cell.outputs ?? []);
  await hasCount(shown, outputs.length).catch(inView('exported, outputs'));
  // nbconvert draws widgets by a library from the network.
  await everyOneRendered(shown, {exempt: mayBeEmpty(outputs)}).catch(inView('exported'));
  await page.screenshot({path: path.join(artefacts, `${name}-exported.png`), fullPage: true});
  await options.look?.(page, 'exported');
  // nbconvert's own page asks for its loader of modules and for mathematics; nothing else may.
  assert.deepEqual(
    blocked.filter((url) => !/require(\.min)?\.js|mathjax/i.test(url)),
    [],
  );
  assert.deepEqual(ownErrors(errors), []);
  await page.close();
}

function inView(where: string): (error: Error) => never {
  return ({message}) => {
    throw new Error(`${where}: ${message}`);
  };
}

/** Outputs that are meant to show nothing, or of a kind that the page cannot show. */
function mayBeEmpty(outputs: readonly HeadlessOutput[]): Set<number> {
  const isWidget = (data: object) => 'application/vnd.jupyter.widget-view+json' in data;
  const empty = ({data}: HeadlessOutput) => data && ([data['text/plain']].flat().join('') === '' || isWidget(data));
  return new Set(outputs.flatMap((output, i) => (empty(output) ? [i] : [])));
}

/** Lines that a cell prints one after another are one output on a page. */
function coalesced(outputs: readonly HeadlessOutput[]): HeadlessOutput[] {
  return outputs.reduce<HeadlessOutput[]>((merged, output) => {
    const last = merged.at(-1);
    if (output.output_type !== 'stream' || last?.output_type !== 'stream' || last.name !== output.name) {
      return [...merged, output];
    }
    const text = [last.text, output.text].flat().join('');
    return [...merged.slice(0, -1), {...last, text}];
  }, []);
}
