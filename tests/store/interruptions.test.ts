import { jest } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { accounts, demoPassword } from '../../dev/seed/demo-store.js';
import { chromiumOfTests, startChromium } from '../harness/chromium.js';
import { type ProcessSystem, startProcessSystem } from '../harness/process-system.js';
import { addToCart, placeOrder, storeVisits } from '../harness/store-browser.js';

const path = chromiumOfTests();
const inChromium = path ? it : it.skip;
const ofBrowser = path ? '' : ' (skipped: no Chromium is installed)';
jest.setTimeout(180_000);

const north = 'North Outfitters';
const demoAccounts = accounts.map(({ name, role, email }) => {
  return { name, role, identifier: email, password: demoPassword };
});

describe(`the store, when time runs out or a part dies${ofBrowser}`, () => {
  let system: ProcessSystem;
  let browser: Browser;
  const visits = storeVisits(
    () => browser,
    () => `http://localhost:${system.ports.ports.router}`,
  );

  beforeAll(async () => {
    if (!path) return;
    system = await startProcessSystem({
      RESERVATION_MINUTES: '0.3',
      STORE_DEVELOPMENT: JSON.stringify({
        messagesUrl: 'http://localhost:4011',
        accounts: demoAccounts,
      }),
    });
    browser = await startChromium(path);
  });
  afterEach(async () => {
    expect(await visits.closeAll()).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });

  inChromium('counts the hold down, and shows the units come back in two browsers', async () => {
    const { page: watcher } = await visits.open();
    const { page: buyer } = await visits.openAs('Ana Customer');
    await watcher.goto('/products/trail?sku=TRAIL-41');
    const offer = watcher.locator('.offer').filter({ hasText: north });
    await offer.getByText('100 available').waitFor();
    await addToCart(buyer, 'trail', 'TRAIL-41', north, 5);
    await placeOrder(buyer);
    const left = buyer.getByRole('timer');
    const first = (await left.textContent()) ?? '';
    expect(first).toMatch(/^0:(0\d|1[0-8])$/);
    await offer.getByText('95 available').waitFor();
    await buyer.getByText('This order is cancelled').waitFor();
    await buyer.getByText('The time to pay ran out').first().waitFor();
    await offer.getByText('100 available').waitFor();
    await buyer.goto('/products/trail?sku=TRAIL-41');
    await buyer.locator('.offer').filter({ hasText: north }).getByText('100 available').waitFor();
  });

  inChromium(
    'says that the connection is lost, and goes on by itself when it is back',
    async () => {
      const { page: watcher, errors: ofWatcher } = await visits.open();
      const { page: customer, errors: ofCustomer } = await visits.openAs('Ben Customer');
      await watcher.goto('/products/storm?sku=STORM-M');
      const offer = watcher.locator('.offer').filter({ hasText: north });
      await offer.getByText('100 available').waitFor();
      await addToCart(customer, 'hiker', 'HIKER-42', north);
      await placeOrder(customer);

      await system.kill('router');
      await watcher.getByText('Connection lost.').waitFor();
      await customer.getByText('Connection lost.').waitFor();
      await customer.getByRole('button', { name: /^Pay / }).click();
      await customer.getByText('The connection was lost before an answer came.').waitFor();
      await system.start('router');
      await Promise.all([
        watcher.getByText('Connected again.').waitFor(),
        customer.getByText('Connected again.').waitFor(),
      ]);
      // The order is followed on: its time runs out.
      await customer.getByText('This order is cancelled').waitFor();

      const { page: another } = await visits.openAs('Ana Customer');
      await addToCart(another, 'storm', 'STORM-M', north, 7);
      await placeOrder(another);
      await offer.getByText('93 available').waitFor();
      // What the browser itself reports of connections that nobody accepts.
      const ofConnections = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket connection to/;
      for (const errors of [ofWatcher, ofCustomer]) {
        expect(errors.splice(0).filter((text) => !ofConnections.test(text))).toEqual([]);
      }
    },
  );
});
