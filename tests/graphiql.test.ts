import { jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { findChromium, startChromium } from './harness/chromium.js';
import { logIn } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';

const path = findChromium();
const inChromium = path ? it : it.skip;
const ofPage = path ? '' : ' (skipped: no Chromium is installed, apt-get install chromium)';
const warehouseId = '01a19467-e800-77c1-8019-1d1e78adfa6f'; // of North Outfitters

// On a busy machine five megabytes of editor take a while to be parsed.
const loadMaxMs = 90_000;
jest.setTimeout(2 * loadMaxMs);

describe(`GraphiQL in a browser${ofPage}`, () => {
  let system: TestSystem;
  let browser: Browser;
  let page: Page;
  let base: URL;
  const asked: string[] = [];
  const wrong: string[] = [];
  beforeAll(async () => {
    if (!path) return;
    system = await startSystem();
    base = new URL(system.url);
    browser = await startChromium(path);
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(loadMaxMs);
    page.on('request', (request) => asked.push(request.url()));
    page.on('websocket', (socket) => asked.push(socket.url()));
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (line) => line.type() === 'error' && wrong.push(line.text()));
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });

  const chooseTab = (name: string) => page.getByRole('tab', { name, exact: true }).click();
  // One button, that says what it does: it is waited for until it does that.
  const run = () => page.getByRole('button', { name: /^Execute query/ }).click();
  const stop = () => page.getByRole('button', { name: /^Stop query/ }).click();
  const answers = (hasText: string) =>
    page.locator('.graphiql-response').filter({ hasText }).waitFor();

  inChromium('runs a query, from the tabs it opens with', async () => {
    await page.goto(new URL('/graphiql', base).href);
    await run();
    await answers('"products": {');
    await answers('"edges": [');
  });

  inChromium('shows a change of stock that arrives', async () => {
    await chooseTab('LiveStock');
    // On a busy machine the editor still has what the tab before it had.
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

  inChromium('asks nobody but the router, and nothing goes wrong', () => {
    const elsewhere = asked.filter(
      (url) =>
        !url.startsWith('data:') && !url.startsWith('blob:') && new URL(url).host !== base.host,
    );
    expect(elsewhere).toEqual([]);
    expect(asked.filter((url) => url.startsWith('ws:'))).toHaveLength(1);
    expect(asked.filter((url) => url.includes('graphql.worker'))).not.toEqual([]);
    expect(wrong).toEqual([]);
  });
});
