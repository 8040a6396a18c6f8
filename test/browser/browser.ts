import {chromium, type Browser, type Page} from 'playwright-core';

/** A page and what it complained about. */
export interface WatchedPage {
  page: Page;
  /** Errors that the page logged or threw. */
  errors: string[];
  /** Addresses beyond this machine that the page asked for; none was answered. */
  blocked: string[];
}

export async function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page that reaches this machine only. */
export async function openPage(browser: Browser, {width = 1100, height = 1400} = {}): Promise<WatchedPage> {
  const context = await browser.newContext({viewport: {width, height}});
  const page = await context.newPage();
  const [errors, blocked]: string[][] = [[], []];
  await context.route(
    (url) => /^https?:/.test(url.protocol) && url.hostname !== '127.0.0.1',
    (route) => {
      blocked.push(route.request().url());
      return route.abort();
    },
  );
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  return {page, errors, blocked};
}
