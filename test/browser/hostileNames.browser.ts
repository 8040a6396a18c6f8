import assert from 'node:assert/strict';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {before, test} from 'node:test';
import {pathToFileURL} from 'node:url';
import {explorePage} from '../../src/explore';
import {standalonePage, trusted} from '../../src/report/display';
import {bundleOf, resultPage} from '../../src/report/show';
import {bundleExplore} from '../explore/exploreSetting';
import {exampleStatistics} from '../plots/examples';
import {manyResults} from '../report/showResults';
import {launchBrowser, openPage} from './browser';
import {ensureChromium} from './environment';

/** Names of classes, models, layers and files that run a script where they are taken for markup, an attribute, an address or code. */
const ATTACKS = [
  '<img src=x onerror="window.ran=1">',
  '</script><script>window.ran=2</script>',
  '"><svg onload="window.ran=3"></svg>',
  '\' onmouseover=\'window.ran=4\' "onfocus="window.ran=4" autofocus="',
  'javascript:window.ran=5',
  '${window.ran=6}`;window.ran=6;//',
  '--><script>window.ran=7</script><!--',
  ']]><iframe srcdoc="<script>parent.ran=8</script>">',
  '\\u003cimg src=x onerror=window.ran=9\\u003e&lt;script&gt;window.ran=9&lt;/script&gt;',
];

before(async () => {
  await bundleExplore();
});

test('whatever classes, models, layers and files are called, no page runs it', async (t) => {
  const chromium = await ensureChromium();
  if (!chromium) return t.skip('no Chromium is installed, and it cannot be installed here');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-names-'));
  const pages: Record<string, string> = {};
  for (const first of [0, 4]) {
    const many = await manyResults(ATTACKS.slice(first));
    const {images, stats, results} = many;
    stats.model.name = ATTACKS[first];
    stats.layer.name = ATTACKS[first + 1];
    stats.images.paths.forEach((_, at) => (stats.images.paths[at] += ATTACKS[at % ATTACKS.length]));
    const options = {stats, images};
    const content = Object.values(results);
    pages[`a report ${first}`] = await resultPage(ATTACKS[first], [
      {heading: ATTACKS[first + 1], text: ATTACKS, content, options},
    ]);
    for (const [name, value] of Object.entries(results)) {
      const html = (await bundleOf(value, options)).data['text/html'];
      if (html !== undefined) pages[`${name} ${first}`] = standalonePage(name, trusted(String(html)));
    }
    many.dispose();
  }
  const explored = exampleStatistics(ATTACKS);
  explored.model.name = ATTACKS[0];
  explored.layer.name = ATTACKS[1];
  pages['explore'] = await explorePage(explored);
  mkdirSync('artefacts/browser', {recursive: true});
  const browser = await launchBrowser(chromium);
  try {
    for (const [name, markup] of Object.entries(pages)) {
      const file = path.join(folder, 'page.html');
      writeFileSync(file, markup);
      const {page, errors, blocked} = await openPage(browser, {width: 1200, height: 900});
      let dialogs = 0;
      page.on('dialog', (dialog) => {
        dialogs += 1;
        void dialog.dismiss();
      });
      page.setDefaultTimeout(120_000);
      await page.goto(pathToFileURL(file).href, {waitUntil: 'domcontentloaded'});
      await page.waitForTimeout(300);
      // Figures tell more where the mouse is.
      for (let x = 60; x < 1200; x += 190) for (let y = 60; y < 900; y += 140) await page.mouse.move(x, y);
      const ran = await page.evaluate(() => (globalThis as {ran?: number}).ran);
      assert.equal(ran, undefined, `${name} ran attack ${ran}`);
      assert.deepEqual([dialogs, errors, blocked], [0, [], []], name);
      const odd = await page.evaluate(
        () =>
          document.querySelectorAll(
            '[onerror], [onload], [onmouseover], [onfocus], iframe[srcdoc], a[href^="javascript:"]',
          ).length,
      );
      assert.equal(odd, 0, name);
      await page.context().close();
    }
    t.diagnostic(`${Object.keys(pages).length} pages`);
  } finally {
    await browser.close();
    rmSync(folder, {recursive: true});
  }
});
