import {mkdirSync, mkdtempSync} from 'node:fs';
import path from 'node:path';
import type {TestContext} from 'node:test';
import {privateJupyter, repository, type PrivateJupyter} from '../kernel/jupyter';
import {launchBrowser, openPage, type WatchedPage} from './browser';
import {ensureChromium, ensureJupyter} from './environment';
import {startLab, type Lab} from './lab';

/** What a browser test works with. */
export interface Setting {
  lab: Lab;
  jupyter: PrivateJupyter;
  venv: string;
  /** The folder that JupyterLab serves. */
  root: string;
  /** Screenshots go here and are kept. */
  artefacts: string;
  newPage(size?: {width?: number; height?: number}): Promise<WatchedPage>;
}

/** Runs a test with a JupyterLab and a browser of its own, and ends both; skips it where no browser can be had. */
export async function withLab(t: TestContext, body: (setting: Setting) => Promise<void>): Promise<void> {
  const chromium = await ensureChromium();
  if (!chromium) return t.skip('no Chromium is installed, and it cannot be installed here');
  const venv = await ensureJupyter();
  const jupyter = privateJupyter();
  t.after(jupyter.remove);
  const root = mkdtempSync(path.join(jupyter.folder, 'notebooks-'));
  const artefacts = path.join(repository, 'artefacts', 'browser');
  mkdirSync(artefacts, {recursive: true});
  const browser = await launchBrowser(chromium);
  const pages: WatchedPage[] = [];
  const newPage: Setting['newPage'] = async (size) => {
    const page = await openPage(browser, size);
    pages.push(page);
    return page;
  };
  try {
    const lab = await startLab({venv, jupyter, root});
    try {
      await body({lab, jupyter, venv, root, artefacts, newPage});
    } catch (error) {
      const name = path.join(artefacts, `failed ${t.name}`.replace(/\W+/g, '-'));
      for (const [i, {page}] of pages.entries()) await page.screenshot({path: `${name}-${i}.png`}).catch(() => {});
      t.diagnostic(`pictures: ${name}-*.png; the pages said: ${pages.flatMap(({errors}) => errors).join('; ')}`);
      t.diagnostic(lab.log());
      throw error;
    } finally {
      await lab.stop();
    }
  } finally {
    await browser.close();
  }
}
