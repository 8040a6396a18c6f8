import type {Locator, Page} from 'playwright-core';

/**
 * Waits until every element shows something: text, or pictures and drawings that are loaded and not of one colour.
 * @param exempt elements that may stay empty, by index
 * @throws Error that names the first that shows nothing
 */
export async function everyOneRendered(
  outputs: Locator,
  {exempt = new Set(), timeout = 30_000}: {exempt?: ReadonlySet<number>; timeout?: number} = {},
): Promise<void> {
  const end = Date.now() + timeout;
  for (let i = 0; i < (await outputs.count()); i++) {
    if (exempt.has(i)) continue;
    for (;;) {
      const problem = await outputs.nth(i).evaluate(problemOf);
      if (!problem) break;
      if (Date.now() > end) throw new Error(`output ${i} ${problem}`);
      await new Promise((done) => setTimeout(done, 200));
    }
  }
}

/** Runs in the page: what is wrong with an output, shadow trees inside it included. No named functions: see `textContrast`. */
function problemOf(output: Element): string | undefined {
  const {width, height} = output.getBoundingClientRect();
  // innerText and selectors stop at a shadow root.
  const trees = [output];
  for (let i = 0; i < trees.length; i++) {
    for (const inside of Array.from(trees[i]!.querySelectorAll('*'))) {
      trees.push(...Array.from(inside.shadowRoot?.children ?? []));
    }
  }
  const text = trees
    .filter((tree) => tree instanceof HTMLElement && tree.tagName !== 'STYLE')
    .map((tree) => (tree as HTMLElement).innerText.trim())
    .join(' ')
    .trim();
  const complaint = /Error displaying widget|This view stands still.*|Loading widget|Javascript Error.*/.exec(text);
  if (complaint) return `says: ${complaint[0]}`;
  const pictures = trees.flatMap((tree) => Array.from(tree.querySelectorAll('img')));
  const broken = pictures.find((picture) => !picture.complete || picture.naturalWidth === 0);
  if (broken) return `has a broken picture: ${broken.alt}`;
  const drawings = trees.flatMap((tree) => Array.from(tree.querySelectorAll('canvas')));
  const empty = drawings.find((canvas) => {
    if (canvas.width === 0 || canvas.height === 0) return true;
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
    if (!pixels) return false; // drawn by another context, e.g. WebGL
    const words = new Uint32Array(pixels.buffer);
    return words.every((word) => word === words[0]);
  });
  if (empty) return 'has an empty drawing';
  const shapes = trees.flatMap((tree) => Array.from(tree.querySelectorAll('svg *, progress')));
  if (!text && pictures.length + drawings.length + shapes.length === 0) return 'shows nothing';
  return width > 2 && height > 2 ? undefined : 'has no size';
}

/** Waits until there are so many elements. @throws Error with both numbers */
export async function hasCount(elements: Locator, count: number, timeout = 30_000): Promise<void> {
  const end = Date.now() + timeout;
  let now = await elements.count();
  while (now !== count && Date.now() < end) {
    await new Promise((done) => setTimeout(done, 200));
    now = await elements.count();
  }
  if (now !== count) throw new Error(`${now} on the page, ${count} expected`);
}

/** Contrast between an element's text and what is behind it (WCAG 2: 1 to 21). */
export async function textContrast(element: Locator): Promise<number> {
  // No named functions inside: they would call a helper of the compiler that the page does not have.
  const [ink, ground] = await element.evaluate((start: Element) => {
    for (let at: Element | null = start; at; at = at.parentElement) {
      const behind = getComputedStyle(at).backgroundColor;
      if (!/^transparent$|, 0\)$/.test(behind)) return [getComputedStyle(start).color, behind];
    }
    return [getComputedStyle(start).color, 'rgb(255, 255, 255)'];
  });
  const [a, b] = [luminance(ink), luminance(ground)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(colour: string): number {
  const channels = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((value) => Number(value) / 255);
  const [r, g, b] = channels.map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Errors of a page that are not its own: what JupyterLab and nbconvert ask for and do without. */
export function ownErrors(errors: readonly string[]): string[] {
  const foreign = [
    /net::ERR_FAILED.*(mathjax|require)/i,
    /favicon/,
    /\/api\/(kernels|sessions)\/[^ ]* .*(404|410)/,
    // Of a notebook that is opened without the kernel that made its widgets.
    /widget model not found/i,
  ];
  return errors.filter((error) => !foreign.some((pattern) => pattern.test(error)));
}

/** Makes the page as tall as what stands above the end of `last`, so that one picture holds all of it. */
export async function fitHeight(page: Page, last: Locator, most = 12_000): Promise<void> {
  const {width = 1100} = page.viewportSize() ?? {};
  await page.setViewportSize({width, height: most});
  const box = await last.boundingBox();
  await page.setViewportSize({width, height: Math.min(most, Math.ceil((box?.y ?? 0) + (box?.height ?? 0)) + 60)});
}
