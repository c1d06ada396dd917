import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';

/** A page of the store in one state, and how a visitor gets there. */
export interface Stop {
  readonly name: string;
  go(page: Page): Promise<unknown>;
}

const shown = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

async function addToCart(page: Page, path: string, shop: string): Promise<void> {
  await page.goto(path);
  await page.getByRole('button', { name: `Add to cart, from ${shop}` }).click();
  await shown(page, 'added.');
}

async function pay(page: Page, method: string): Promise<void> {
  await page.getByLabel('Payment method').selectOption(method);
  await page.getByRole('button', { name: /^Pay / }).click();
}

async function fillAddress(page: Page): Promise<void> {
  const values = {
    Recipient: 'Ana Customer',
    'Street and number': '1 Main St',
    'Postal code': '12345',
    City: 'Springfield',
    Country: 'US',
  };
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label).fill(value);
}

/**
 * A visit to all pages, in the order in which a customer comes to them.
 *
 * @param slugs of the products of `catalogue.ts`
 */
export function visit(slugs: readonly string[]): readonly Stop[] {
  const product = (at: number) => `/products/${encodeURIComponent(slugs[at] as string)}`;
  return [
    {
      name: 'list',
      go: async (page) => {
        await page.goto('/');
        await shown(page, 'available');
      },
    },
    {
      name: 'list-search',
      go: async (page) => {
        await page.getByLabel('Search products').fill('急須');
        await shown(page, '“急須”');
        await page.locator('.card').nth(1).waitFor({ state: 'detached' });
        await page.locator('.card').filter({ hasText: '急須' }).waitFor();
      },
    },
    {
      name: 'list-empty',
      go: async (page) => {
        await page.goto('/?q=zeppelin');
        await shown(page, 'No product matches.');
      },
    },
    {
      name: 'product-japanese',
      go: async (page) => {
        await page.goto(product(0));
        await page.locator('.offer').first().waitFor();
      },
    },
    { name: 'product-german', go: (page) => page.goto(product(1)) },
    { name: 'product-sold-out', go: (page) => page.goto(product(2)) },
    {
      name: 'cart-logged-out',
      go: async (page) => {
        await page.goto('/cart');
        await shown(page, 'Log in to see this page.');
      },
    },
    { name: 'login', go: (page) => page.getByRole('link', { name: 'Log in' }).last().click() },
    {
      name: 'login-code',
      go: async (page) => {
        await page.getByText('Code by SMS').click();
        await page.getByLabel('Phone').fill('+1 202 555 0143');
        await page.getByRole('button', { name: 'Send a code' }).click();
        await page.getByLabel('Code', { exact: true }).waitFor();
      },
    },
    {
      name: 'login-refused',
      go: async (page) => {
        await page.getByText('Password', { exact: true }).first().click();
        await page.getByLabel('E-mail or phone').fill('ana@example.com');
        await page.locator('input[type=password]').fill('wrong-password');
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByRole('alert').waitFor();
      },
    },
    {
      name: 'login-register',
      go: async (page) => {
        await page.getByText('New account').click();
        await page.getByLabel('Name').fill('Maximiliane Freifrau von Hohenstein');
        await page.getByLabel('E-mail').fill(`visitor-${randomUUID()}@example.com`);
        await page.locator('input[type=password]').fill('a-password-of-a-visitor');
      },
    },
    {
      name: 'orders-empty',
      go: async (page) => {
        await page.getByRole('button', { name: 'Create the account' }).click();
        await page.waitForURL('**/cart');
        await page.goto('/orders');
        await shown(page, 'No orders here.');
      },
    },
    {
      name: 'cart-empty',
      go: async (page) => {
        await page.goto('/cart');
        await shown(page, 'Your cart is empty.');
      },
    },
    {
      name: 'product-added',
      go: (page) => addToCart(page, product(0), 'North Outfitters'),
    },
    {
      name: 'cart',
      go: async (page) => {
        await addToCart(page, product(1), 'North Outfitters');
        await addToCart(page, '/products/trail', 'Victor’s Corner');
        await page.goto('/cart');
        await page.locator('.cart-line').nth(2).waitFor();
      },
    },
    {
      name: 'cart-removed',
      go: async (page) => {
        await page.getByRole('button', { name: /^Remove Trail/ }).click();
        await page.getByRole('button', { name: 'Undo' }).waitFor();
      },
    },
    {
      name: 'checkout',
      go: async (page) => {
        await page.getByRole('button', { name: 'Undo' }).click();
        await page.locator('.cart-line').nth(2).waitFor();
        await page.getByRole('link', { name: 'Check out' }).click();
        await page.getByRole('heading', { name: 'Ship to' }).waitFor();
      },
    },
    {
      name: 'order-pending',
      go: async (page) => {
        await fillAddress(page);
        await page.getByRole('button', { name: /^Hold and order/ }).click();
        await shown(page, 'Held for you for');
      },
    },
    {
      name: 'order-declined',
      go: async (page) => {
        await pay(page, 'Empty Account');
        await shown(page, 'The account has too little money.');
      },
    },
    {
      name: 'order-challenge',
      go: async (page) => {
        await pay(page, 'Challenge Card');
        await page.getByRole('link', { name: 'Confirm at the bank' }).waitFor();
      },
    },
    {
      name: 'order-cancelled',
      go: async (page) => {
        await page.getByRole('button', { name: 'Cancel this order …' }).click();
        await page.getByRole('button', { name: 'Cancel the order', exact: true }).click();
        await shown(page, 'This order is cancelled');
      },
    },
    {
      name: 'order-paid',
      go: async (page) => {
        await addToCart(page, '/products/storm', 'Harbour Goods');
        await page.goto('/checkout');
        await fillAddress(page);
        await page.getByRole('button', { name: /^Hold and order/ }).click();
        await shown(page, 'Held for you for');
        await pay(page, 'Credit Card');
        await shown(page, 'Paid. Thank you.');
      },
    },
    {
      name: 'orders',
      go: async (page) => {
        await page.goto('/orders');
        await page.locator('.order-entry').first().waitFor();
      },
    },
    {
      name: 'account',
      go: async (page) => {
        await page.goto('/account');
        await page.getByRole('heading', { name: 'Sessions' }).waitFor();
      },
    },
    {
      name: 'account-address',
      go: async (page) => {
        await page.getByRole('button', { name: 'Add an address' }).click();
        await fillAddress(page);
        await page.getByRole('button', { name: 'Save the address' }).click();
        await shown(page, 'Default');
      },
    },
    { name: 'not-found', go: (page) => page.goto('/sale/none') },
    {
      name: 'connection-lost',
      go: async (page) => {
        await page.goto('/');
        await shown(page, 'available');
        await page.context().setOffline(true);
        await page.getByLabel('In stock only').check();
        await shown(page, 'Connection lost.');
      },
    },
  ];
}
