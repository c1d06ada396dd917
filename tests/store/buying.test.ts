import { jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { seedId } from '../../dev/seed/ids.js';
import { chromiumOfTests, startChromium } from '../harness/chromium.js';
import { createPlace } from '../harness/launcher.js';
import {
  addToCart,
  fillAddress,
  logInAs,
  pay,
  placeOrder,
  storeVisits,
} from '../harness/store-browser.js';
import { besideTheStore } from '../harness/store-vendor.js';
import { eventually } from '../harness/wait.js';

const path = chromiumOfTests();
const inChromium = path ? it : it.skip;
const ofBrowser = path ? '' : ' (skipped: no Chromium is installed)';
jest.setTimeout(180_000);

const north = 'North Outfitters';
const victor = 'Victor’s Corner';

/** Lets requests of an operation arrive, and aborts their answers. */
const loseAnswersTo = (page: Page, operation: string) =>
  page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes(operation)) return route.fallback();
    await route.fetch();
    await route.abort();
  });

describe(`the store that npm start runs, in a browser${ofBrowser}`, () => {
  let place: Awaited<ReturnType<typeof createPlace>>;
  let browser: Browser;
  const visits = storeVisits(
    () => browser,
    () => `http://localhost:${place.base}`,
  );

  beforeAll(async () => {
    if (!path) return;
    place = await createPlace();
    const run = place.run({ PAYMENT_TIMEOUT_SECONDS: '4' });
    browser = await startChromium(path);
    await run.untilReady();
  });
  afterEach(async () => {
    expect(await visits.closeAll()).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await place?.close();
  });

  const { mustSend, tokenOf, setOffer, setUnits } = besideTheStore(() => place.url);
  const card = (page: Page, name: string) => page.locator('.card').filter({ hasText: name });
  const offer = (page: Page, shop: string) => page.locator('.offer').filter({ hasText: shop });

  inChromium('shows the stock fall in the list and on the product page of others', async () => {
    const list = (await visits.open()).page;
    const watcher = (await visits.open()).page;
    const buyer = (await visits.openAs('Ana Customer')).page;
    await list.goto('/');
    // The stock of what is in view is live.
    await card(list, 'Trail Running Shoe').scrollIntoViewIfNeeded();
    await card(list, 'Trail Running Shoe').getByText('1,200 available').waitFor();
    await watcher.goto('/products/trail?sku=TRAIL-40');
    await offer(watcher, north).getByText('100 available').waitFor();
    await addToCart(buyer, 'trail', 'TRAIL-40', north, 3);
    await placeOrder(buyer);
    await offer(watcher, north).getByText('97 available').waitFor();
    await offer(watcher, north).getByText('3 units held for orders').waitFor();
    await card(list, 'Trail Running Shoe').getByText('1,197 available').waitFor();
    await pay(buyer, 'Credit Card');
    await buyer.getByText('Paid. Thank you.').waitFor();
    await buyer.getByText('Payment captured').waitFor();
    await offer(watcher, north).getByText('97 available').waitFor();
  });

  inChromium('finds products as one types, and filters and sorts them', async () => {
    const { page } = await visits.open();
    await page.goto('/');
    await page.getByLabel('Search products').pressSequentially('jackt');
    await card(page, 'Coffee Press').waitFor({ state: 'detached' });
    await card(page, 'Storm Shell Jacket').waitFor();
    await page.getByLabel('Search products').fill('');
    await card(page, 'Coffee Press').waitFor();
    await page.getByLabel('Category').selectOption({ label: 'Shoes' });
    await page.getByLabel('Sort by').selectOption('Price, high to low');
    await page.getByLabel('Highest price').fill('100');
    await page.waitForURL(/max=100/);
    const names = page.locator('.card-name');
    await names.getByText('Leather Hiking Boot').waitFor({ state: 'detached' });
    expect(await names.allTextContents()).toEqual(['Trail Running Shoe', 'Recovery Slide']);
    await page.reload();
    await names.first().waitFor();
    expect(await names.allTextContents()).toEqual(['Trail Running Shoe', 'Recovery Slide']);
  });

  inChromium('pays after a decline and a challenge, and follows the order', async () => {
    const { page } = await visits.openAs('Ana Customer');
    await addToCart(page, 'knife', 'KNIFE-15CM', victor);
    const number = await placeOrder(page);
    await pay(page, 'Empty Account');
    await page.getByText('The account has too little money.').first().waitFor();
    await page.getByText('Payment declined').waitFor();

    await pay(page, 'Challenge Card');
    const link = page.getByRole('link', { name: 'Confirm at the bank' });
    const bank = await Promise.all([page.context().waitForEvent('page'), link.click()]);
    await bank[0].getByRole('button', { name: 'Refuse' }).click();
    await bank[0].getByText('Payment refused').waitFor();
    await page.getByRole('button', { name: 'I am done' }).click();
    await page
      .getByText('The payment was not confirmed.')
      .or(page.getByText('declined the payment'))
      .first()
      .waitFor();

    await pay(page, 'Challenge Card');
    await link.waitFor();
    // The challenge goes on after a reload, under the same key.
    await page.reload();
    await page.getByRole('button', { name: 'Continue' }).click();
    const again = await Promise.all([page.context().waitForEvent('page'), link.click()]);
    await again[0].getByRole('button', { name: 'Approve' }).click();
    await again[0].getByText('Payment approved').waitFor();
    await page.getByText('Paid. Thank you.').waitFor();

    await page.goto('/orders');
    const entry = page.locator('.order-entry').filter({ hasText: number });
    await entry.getByText('Paid').waitFor();
  });

  inChromium('waits for a bank that decides later', async () => {
    const { page } = await visits.openAs('Ana Customer');
    await addToCart(page, 'power', 'POWER-BLACK', victor);
    await placeOrder(page);
    await pay(page, 'Slow Bank');
    await page.getByText('A payment is under way').waitFor();
    await page.getByText('Paid. Thank you.').waitFor();
  });

  inChromium('says which prices have changed, and orders for the new total', async () => {
    const { page } = await visits.openAs('Ben Customer');
    await addToCart(page, 'buds', 'BUDS-WHITE', north, 2);
    await page.goto('/checkout');
    await fillAddress(page);
    await setOffer('BUDS-WHITE', '119.50');
    await page.getByRole('button', { name: 'Hold and order for $258.00' }).click();
    await page.getByText('was $129.00, is now $119.50.').waitFor();
    await page.getByText('The total is now $239.00.').waitFor();
    await page.getByRole('button', { name: 'Order for $239.00' }).click();
    await page.getByText('Held for you for').waitFor();
    await page.getByRole('heading', { name: 'Pay $239.00' }).waitFor();
  });

  inChromium(
    'says what is left when others were faster than the checkout, and at the limit',
    async () => {
      const { page } = await visits.openAs('Ben Customer');
      await addToCart(page, 'watch', 'WATCH-42MM', north, 4);
      await page.goto('/checkout');
      await fillAddress(page);
      await setUnits('WATCH-42MM', 2);
      await page.getByRole('button', { name: /^Hold and order/ }).click();
      await page.getByText('only 2 left, you asked for 4.').waitFor();
      await page.getByRole('link', { name: 'Change the cart' }).click();
      await page.getByText('Only 2 left.').first().waitFor();
      await setOffer('WATCH-42MM', '249.00', 2);
      await page.getByRole('button', { name: 'Take 2' }).click();
      await page.getByText('$498.00').first().waitFor();
      await placeOrder(page);
      const another = await visits.open();
      await another.page.goto('/products/watch?sku=WATCH-42MM');
      await offer(another.page, north).getByText('Sold out').waitFor();
      await setUnits('WATCH-42MM', 10);
      await offer(another.page, north).getByText('8 left').waitFor();
      await page.goto('/products/watch?sku=WATCH-42MM');
      await offer(page, north)
        .getByRole('button', { name: /^Add to cart/ })
        .click();
      await page.getByText('Limit 2 per customer, and you have 2 units in your orders.').waitFor();
    },
  );

  inChromium('puts a removed line back into the cart', async () => {
    const { page } = await visits.openAs('Ana Customer');
    await addToCart(page, 'press', 'PRESS-1L', north, 2);
    await page.goto('/cart');
    await page.getByRole('button', { name: 'Remove Coffee Press, 1l' }).click();
    await page.getByText('Your cart is empty.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.cart-line').filter({ hasText: 'Coffee Press' }).waitFor();
    await expect(page.getByLabel('Units', { exact: true }).inputValue()).resolves.toBe('2');
    await page.getByRole('button', { name: 'Remove Coffee Press, 1l' }).click();
    await page.getByText('Your cart is empty.').waitFor();
  });

  inChromium('logs in with a code by SMS, which the page of messages shows', async () => {
    const { page } = await visits.open();
    await page.goto('/login?next=%2Faccount');
    await page.getByText('Code by SMS').click();
    await page.getByLabel('Phone').fill('+1 202 555 0143');
    await page.getByRole('button', { name: 'Send a code' }).click();
    const link = page.getByRole('link', { name: 'Read it' });
    const [messages] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
    await messages.getByText('+12025550143').first().waitFor();
    const code = /\b\d{6}\b/.exec((await messages.locator('body').textContent()) ?? '')?.[0];
    await page.getByLabel('Code', { exact: true }).fill(code as string);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('ana@example.com').waitFor();
  });

  inChromium('keeps profile, addresses and sessions, and uses a saved address', async () => {
    const other = await visits.openAs('Ben Customer');
    const { page } = await visits.openAs('Ben Customer', '/account');
    await page.getByLabel('Name').fill('Ben Nakamura 中村');
    await page.getByRole('button', { name: 'Save the name' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('button', { name: 'Add an address' }).click();
    const address = {
      Recipient: '中村 勉',
      'Street and number': '千代田1-1',
      'Postal code': '100-0001',
      City: '東京',
      Country: 'JP',
    };
    for (const [label, value] of Object.entries(address)) await page.getByLabel(label).fill(value);
    await page.getByRole('button', { name: 'Save the address' }).click();
    await page.getByText('Default', { exact: true }).waitFor();

    const sessions = page.getByRole('region', { name: 'Sessions' });
    await sessions.getByText('This one').waitFor();
    await other.page.goto('/orders');
    await other.page.getByRole('heading', { name: 'Orders' }).waitFor();
    const before = await sessions.getByRole('button', { name: /^End the session/ }).count();
    await sessions
      .getByRole('button', { name: /^End the session/ })
      .first()
      .click();
    const left = () => sessions.getByRole('button', { name: /^End the session/ }).count();
    await eventually(left, (count) => count === before - 1);

    await addToCart(page, 'slide', 'SLIDE-M', north);
    await page.goto('/checkout');
    await page.getByText('中村 勉, 千代田1-1, 100-0001 東京, JP').waitFor();
    await page.getByRole('button', { name: /^Hold and order/ }).click();
    await page.getByText('Ships to 中村 勉').waitFor();
  });

  inChromium('adds again what was removed after its answer was lost', async () => {
    const { page, errors } = await visits.openAs('Victor Vendor');
    await page.goto('/products/slide?sku=SLIDE-L');
    await loseAnswersTo(page, 'mutation AddToCart');
    const add = offer(page, north).getByRole('button', { name: /^Add to cart/ });
    await add.click();
    await page.getByText('The connection was lost before an answer came.').waitFor();
    await page.unrouteAll();
    await page.goto('/cart');
    await page.getByRole('button', { name: 'Remove Recovery Slide, L' }).click();
    await page.getByText('Your cart is empty.').waitFor();
    await addToCart(page, 'slide', 'SLIDE-L', north);
    await page.goto('/cart');
    await page.locator('.cart-line').filter({ hasText: 'Recovery Slide' }).waitFor();
    expect(errors.splice(0).filter((text) => !text.includes('ERR_FAILED'))).toEqual([]);
  });

  inChromium('lets an order be paid where WebSockets do not work', async () => {
    const { page } = await visits.openAs('Ana Customer');
    await page.routeWebSocket('**/graphql', (socket) => socket.close());
    await addToCart(page, 'daypack', 'DAYPACK-RUST', victor);
    await placeOrder(page);
    await pay(page, 'Credit Card');
    await page.getByText('Paid. Thank you.').waitFor();
  });

  inChromium('does nothing twice: a double click, a lost answer, a reload', async () => {
    const { page, errors } = await visits.openAs('Ana Customer');
    await page.goto('/products/duffel?sku=DUFFEL-BLACK');
    await offer(page, north)
      .getByRole('button', { name: /^Add to cart/ })
      .dblclick();
    await offer(page, north).getByText('1 unit added.').waitFor();
    await page.goto('/cart');
    await page.getByText('$99.00').first().waitFor();

    await page.goto('/checkout');
    await fillAddress(page);
    // The order is placed, and its answer is lost.
    await loseAnswersTo(page, 'mutation Checkout');
    await page.getByRole('button', { name: /^Hold and order/ }).click();
    await page.getByText('The connection was lost before an answer came.').waitFor();
    await page.unrouteAll();
    // The cart is empty now: the page still says that there may be an order.
    await page.getByText('No answer came to your last checkout').waitFor();
    await page.reload();
    await page.getByText('No answer came to your last checkout').waitFor();
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByText('Held for you for').waitFor();
    const number = await page.getByRole('heading', { level: 1 }).textContent();
    await page.goto('/orders');
    const duffels = page.locator('.order-entry').filter({ hasText: 'Weekend Duffel' });
    await duffels.first().waitFor();
    expect(await duffels.count()).toBe(1);
    expect(number).toContain(await duffels.locator('h2').textContent());
    // What the browser itself reports of the aborted request.
    expect(errors.splice(0).filter((text) => !text.includes('ERR_FAILED'))).toEqual([]);
  });

  inChromium(
    'lets two tabs go on after their access tokens have ended, and logs both out',
    async () => {
      const first = await visits.openAs('Ana Customer');
      const second = await first.page.context().newPage();
      await second.goto('/orders');
      await second.locator('.order-entry').first().waitFor();
      const refreshes: string[] = [];
      first.page.context().on('request', (request) => {
        const body = request.postData() ?? '';
        if (body.includes('mutation RefreshSession'))
          refreshes.push(JSON.parse(body).variables.refreshToken);
      });
      for (const page of [first.page, second]) {
        await page.clock.install();
        await page.clock.fastForward(15 * 60_000);
      }
      await Promise.all([
        first.page.getByRole('link', { name: 'Account: Ana' }).click(),
        second.getByRole('link', { name: 'Cart' }).click(),
      ]);
      await first.page.getByRole('heading', { name: 'Sessions' }).waitFor();
      await second
        .getByText('Your cart is empty.')
        .or(second.locator('.cart-line'))
        .first()
        .waitFor();
      expect(refreshes).toHaveLength(2);
      expect(new Set(refreshes).size).toBe(2);
      await first.page.getByRole('button', { name: 'Log out', exact: true }).click();
      await first.page.getByText('Log in to see this page.').waitFor();
      await second.getByText('Log in to see this page.').waitFor();
    },
  );

  inChromium('follows an order on after its stream ended with UNAUTHENTICATED', async () => {
    const { page } = await visits.openAs('Ben Customer');
    await addToCart(page, 'fleece', 'FLEECE-MOSS', north);
    await placeOrder(page);
    const refreshed = page.waitForRequest((request) =>
      (request.postData() ?? '').includes('mutation RefreshSession'),
    );
    // The session goes on with another role, which its next tokens have.
    await mustSend(
      'mutation ($input: SetRoleInput!) { setRole(input: $input) { role } }',
      { input: { userId: seedId('user', 1), role: 'VENDOR' } },
      await tokenOf('ada@example.com'),
    );
    await refreshed;
    await mustSend(
      'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }',
      { id: page.url().split('/').at(-1) },
      await tokenOf('ben@example.com'),
    );
    await page.getByText('It was cancelled at your request.').first().waitFor();
    await page.getByText('What came from your cart is back in it.').waitFor();
    await page.getByRole('link', { name: /^Cart.*1 unit$/ }).waitFor();
  });

  inChromium('logs out a tab when another one logs in as someone else', async () => {
    const first = await visits.openAs('Ana Customer', '/account');
    await first.page.getByText('ana@example.com').waitFor();
    const second = await first.page.context().newPage();
    await second.goto('/account');
    await second.getByRole('button', { name: 'Log out', exact: true }).click();
    await second.getByText('Log in to see this page.').waitFor();
    await logInAs(second, 'Ben Customer', '/account');
    await second.getByText('ben@example.com').waitFor();
    await first.page.getByText('ben@example.com').waitFor();
  });
});
