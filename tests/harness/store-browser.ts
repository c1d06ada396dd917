import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const actionMaxMs = 30_000;

const reportViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('policy: ' + event.violatedDirective + ' refuses ' + event.blockedURI);
});`;

/** A visitor of the store, in a browser of its own. */
export interface Visitor {
  readonly page: Page;
  /** errors of the page, of its console and of its content security policy */
  readonly errors: string[];
  close(): Promise<void>;
}

/** Opens the store in new browsers and records what goes wrong in them. */
export function storeVisits(browser: () => Browser, url: () => string) {
  const visitors: Visitor[] = [];

  async function open(options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser().newContext({ baseURL: url(), locale: 'en-US', ...options });
    context.setDefaultTimeout(actionMaxMs);
    const errors: string[] = [];
    await context.addInitScript({ content: reportViolations });
    context.on('page', (page) => {
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (line) => {
        if (line.type() === 'error') errors.push(`${line.text()} ${line.location().url}`);
      });
    });
    const page = await context.newPage();
    const visitor = { page, errors, close: () => context.close() };
    visitors.push(visitor);
    return visitor;
  }

  return {
    open,
    /** Opens the store as an account of the demo store, with one click, at a page. */
    async openAs(name: string, path = '/', options: BrowserContextOptions = {}): Promise<Visitor> {
      const visitor = await open(options);
      await logInAs(visitor.page, name, path);
      return visitor;
    },
    /** Closes all browsers. @returns the errors of all visitors */
    async closeAll(): Promise<string[]> {
      const all = visitors.splice(0);
      await Promise.all(all.map((visitor) => visitor.close()));
      return all.flatMap(({ errors }) => errors);
    },
  };
}

/** Logs in as an account of the demo store, with one click. */
export async function logInAs(page: Page, name: string, path = '/'): Promise<void> {
  await page.goto(`/login?next=${encodeURIComponent(path)}`);
  await page.getByRole('button', { name: new RegExp(name) }).click();
  await page
    .getByRole('navigation', { name: 'Store' })
    .getByText('Account:')
    .waitFor({ state: 'attached' });
}

/** Puts units of an offer into the cart. */
export async function addToCart(page: Page, slug: string, sku: string, shop: string, units = 1) {
  await page.goto(`/products/${slug}?sku=${sku}`);
  const offer = page.locator('.offer').filter({ hasText: shop });
  if (units > 1) {
    await offer.getByLabel('Units', { exact: true }).fill(String(units));
    await offer.getByLabel('Units', { exact: true }).blur();
  }
  await offer.getByRole('button', { name: /^Add to cart/ }).click();
  await offer.getByText(/added\./).waitFor();
}

const address = {
  Recipient: 'Ana Customer',
  'Street and number': '1 Main St',
  'Postal code': '12345',
  City: 'Springfield',
  Country: 'US',
};

export async function fillAddress(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Ship to' }).waitFor();
  const another = page.getByLabel('Another address');
  if (await another.count()) await another.check();
  for (const [label, value] of Object.entries(address)) await page.getByLabel(label).fill(value);
}

/** Orders what is in the cart. @returns the number of the order */
export async function placeOrder(page: Page): Promise<string> {
  await page.goto('/checkout');
  await fillAddress(page);
  await page.getByRole('button', { name: /^Hold and order/ }).click();
  await page.getByText('Held for you for').waitFor();
  const heading = await page.getByRole('heading', { level: 1 }).textContent();
  return (heading ?? '').replace('Order ', '');
}

/** Pays the order that is shown. */
export async function pay(page: Page, method: string): Promise<void> {
  await page.getByLabel('Payment method').selectOption(method);
  await page.getByRole('button', { name: /^Pay / }).click();
}
