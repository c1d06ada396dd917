import { jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { chromiumOfTests, startChromium } from './harness/chromium.js';
import { logIn } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

/** What the tests use of Monaco. */
interface Monaco {
  readonly editor: {
    getModels(): ReadonlyArray<{ uri: { path: string }; setValue(text: string): void }>;
  };
}

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

  // The name of the open tab ends with that of its button "Close Tab".
  const tab = (name: string) => page.getByRole('tab', { name: new RegExp(`^${name}\\b`) });
  const chooseTab = (name: string) => tab(name).click();
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

  /** Opens a tab, and waits for its operation: on a busy machine the editor still shows the previous one. */
  async function open(name: string) {
    await chooseTab(name);
    await page.locator('.graphiql-query-editor').filter({ hasText: name }).waitFor();
  }
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const notice = (hasText: string) => page.getByRole('status').filter({ hasText }).waitFor();
  const setEditor = (file: string, text: string) =>
    page.evaluate(
      ([file, text]) => {
        const { editor } = (globalThis as unknown as { __MONACO: Monaco }).__MONACO;
        const model = editor.getModels().find(({ uri }) => uri.path.endsWith(file as string));
        model?.setValue(text as string);
      },
      [file, text],
    );
  const response = () => page.locator('.graphiql-response').innerText();
  const hasEnded = () => page.getByRole('button', { name: /^Execute query/ }).waitFor();

  inChromium(
    'leads from a refused operation to the log-in, whose token it sends then',
    async () => {
      await open('Cart');
      await run();
      await answers('"UNAUTHENTICATED"');
      await notice('This operation needs a log-in.');
      await button('Open the tab Login').click();
      await page.locator('.graphiql-query-editor').filter({ hasText: 'mutation Login' }).waitFor();
      await run();
      await notice('Logged in as Ana Customer (CUSTOMER)');
      await open('Cart');
      await notice('You are logged in now.');
      await button('Run this operation again').click();
      await answers('"items": []');
      await button('Run this operation again').waitFor({ state: 'detached' });
      if (process.env.SCREENSHOT)
        await page.screenshot({ path: `${process.env.SCREENSHOT}-cart.png` });
    },
  );

  inChromium('says that an operation needs another account', async () => {
    await open('ShopStock');
    await run();
    await answers('"FORBIDDEN"');
    await notice('This operation needs another account.');
  });

  inChromium('sends the token with subscriptions too', async () => {
    await open('OrderChanged');
    await run();
    await answers('"errors": [');
    await hasEnded();
    expect(await response()).not.toContain('UNAUTHENTICATED');
  });

  inChromium('opens the tab Login again if it was closed', async () => {
    await button('Forget this log-in').click();
    // Not the active tab: GraphiQL still writes the editor's text after a delay, then into another tab.
    await open('Orders');
    await tab('Login').locator('.graphiql-tab-close').dispatchEvent('click'); // shown on hover
    await tab('Login').waitFor({ state: 'detached' });
    await open('Orders');
    await run();
    await button('Open the tab Login').click();
    await page.locator('.graphiql-query-editor').filter({ hasText: 'mutation Login' }).waitFor();
    await run();
    await notice('Logged in as Ana Customer (CUSTOMER)');
  });

  inChromium('forgets a log-in whose session has ended', async () => {
    await open('Orders');
    const sent = page.waitForRequest((request) => request.headers().authorization !== undefined);
    await run();
    await answers('"orders": {');
    const { authorization = '' } = (await sent).headers();
    await system.graphql('mutation { logout }', {}, authorization.replace('Bearer ', ''));
    await open('OrderChanged');
    // The router learns of it from an event.
    const again = async () => {
      await run();
      await answers('"errors"'); // There is no such order either.
      return response();
    };
    await eventually(again, (text) => text.includes('"UNAUTHENTICATED"'));
    await answers('The session has ended. Log in again.');
    await notice('Your log-in has expired.');
    expect(await response()).not.toContain('Logged in');
    await button('Run this operation again').click();
    await notice('This operation needs a log-in.');
  });

  inChromium('runs a public operation without a log-in that has expired', async () => {
    await open('Login');
    await run();
    await notice('Logged in as Ana Customer (CUSTOMER)');
    // Access tokens are valid for 15 minutes: the response of the router to one that has expired.
    const message = 'The access token has expired. Log in again or refresh the session.';
    const refusal = { errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] };
    await page.route(base.href, (route) =>
      route.request().headers().authorization
        ? route.fulfill({ status: 401, json: refusal })
        : route.continue(),
    );
    await open('Browse');
    await run();
    await answers('"UNAUTHENTICATED"');
    await notice('Your log-in has expired. Run the tab Login again, or run this operation again');
    await button('Run this operation again').click();
    await answers('"products": {');
    await button('Run this operation again').waitFor({ state: 'detached' });
    await page.unroute(base.href);
  });

  inChromium('ends a subscription without a token with the reason', async () => {
    await open('OrderChanged');
    await run();
    await answers('"UNAUTHENTICATED"');
    await notice('This operation needs a log-in.');
    await hasEnded();
  });

  inChromium.each([
    ['x.y.z', 'The access token is not valid.'],
    ['<accessToken>', 'The Authorization header must be: Bearer <access token>.'],
  ])('ends a subscription with the token %s at once with the reason', async (token, reason) => {
    await open('OrderChanged');
    await button('Headers').click();
    await setEditor('request-headers.json', `{"Authorization": "Bearer ${token}"}`);
    const sockets = () => requested.filter((url) => url.startsWith('ws:')).length;
    const before = sockets();
    await run();
    await answers(reason);
    await notice('The Authorization header of this tab was refused.');
    await hasEnded();
    // The client does not connect again.
    expect(sockets()).toBe(before + 1);
    expect(await response()).not.toMatch(/stack|4403|4401/);
    await setEditor('request-headers.json', '');
  });

  inChromium('does not mark the apostrophes of the demo store', async () => {
    await page.getByRole('button', { name: 'New tab' }).click();
    // The marks are computed in a worker. Invisible characters have one, so when it is there, all are. Text in quotes
    // has none at all once its language is known.
    for (const file of ['operation.graphql', 'response.json']) {
      await setEditor(file, 'Victor’s Corner sells the Chef’s Knife, in\u200bvisibly');
    }
    for (const editor of ['.graphiql-query-editor', '.graphiql-response']) {
      const marks = page.locator(editor).locator('.unicode-highlight');
      await marks.first().waitFor({ state: 'attached' });
      expect(await marks.count()).toBe(1);
    }
  });

  inChromium('sends requests to the router only, and reports no error', () => {
    const elsewhere = requested.filter(
      (url) =>
        !url.startsWith('data:') && !url.startsWith('blob:') && new URL(url).host !== base.host,
    );
    expect(elsewhere).toEqual([]);
    expect(requested.filter((url) => url.startsWith('ws:')).length).toBeGreaterThan(4);
    expect(requested.filter((url) => url.includes('graphql.worker'))).not.toEqual([]);
    // The browser reports each response with status 401 itself.
    expect(errorsSeen.filter((text) => !text.includes('status of 401'))).toEqual([]);
  });
});
