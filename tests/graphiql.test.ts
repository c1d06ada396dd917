import { jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { chromiumOfTests, startChromium } from './harness/chromium.js';
import { logIn } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';

const path = chromiumOfTests();
const inChromium = path ? it : it.skip;
const ofPage = path ? '' : ' (skipped: no Chromium is installed, apt-get install chromium)';
const warehouseId = '01a19467-e800-77c1-8019-1d1e78adfa6f'; // of North Outfitters

// On a busy machine, parsing five megabytes of editor takes a while.
const loadMaxMs = 90_000;
jest.setTimeout(2 * loadMaxMs);

describe(`GraphiQL in a browser${ofPage}`, () => {
  let system: TestSystem;
  let browser: Browser;
  let page: Page;
  let base: URL;
  const requested: string[] = [];
  const errorsSeen: string[] = [];
  beforeAll(async () => {
    if (!path) return;
    system = await startSystem();
    base = new URL(system.url);
    browser = await startChromium(path);
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(loadMaxMs);
    page.on('request', (request) => requested.push(request.url()));
    page.on('websocket', (socket) => requested.push(socket.url()));
    page.on('pageerror', (error) => errorsSeen.push(error.message));
    page.on('console', (line) => line.type() === 'error' && errorsSeen.push(line.text()));
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });

  const chooseTab = (name: string) => page.getByRole('tab', { name, exact: true }).click();
  // One button with two labels: waits for the label.
  const run = () => page.getByRole('button', { name: /^Execute query/ }).click();
  const stop = () => page.getByRole('button', { name: /^Stop query/ }).click();
  const answers = (hasText: string) =>
    page.locator('.graphiql-response').filter({ hasText }).waitFor();

  inChromium('runs a query of the tabs that it opens', async () => {
    await page.goto(new URL('/graphiql', base).href);
    await run();
    await answers('"products": {');
    await answers('"edges": [');
  });

  inChromium('shows a stock change when it arrives', async () => {
    await chooseTab('LiveStock');
    // On a busy machine the editor may still show the previous tab.
    await page.locator('.graphiql-query-editor').filter({ hasText: 'stockChanged' }).waitFor();
    await run();
    await answers('"available": 100');
    const vera = await logIn(system, 'vera');
    const { errors } = await system.graphql(
      `mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { id } }`,
      { input: { warehouseId, sku: 'TRAIL-40', quantity: 11 } },
      vera.token,
    );
    expect(errors).toBeUndefined();
    await answers('"available": 111');
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    await stop();
  });

  inChromium('sends requests to the router only, and reports no error', () => {
    const elsewhere = requested.filter(
      (url) =>
        !url.startsWith('data:') && !url.startsWith('blob:') && new URL(url).host !== base.host,
    );
    expect(elsewhere).toEqual([]);
    expect(requested.filter((url) => url.startsWith('ws:'))).toHaveLength(1);
    expect(requested.filter((url) => url.includes('graphql.worker'))).not.toEqual([]);
    expect(errorsSeen).toEqual([]);
  });
});
