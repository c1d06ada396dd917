import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { root } from '../../ops/subgraph-names.js';
import { createSandboxProvider } from '../../subgraphs/order/payment/provider/sandbox-provider.js';
import type { Service } from '../../subgraphs/shared/runtime/process.js';
import { chromiumOfTests, startChromium } from '../../tests/harness/chromium.js';
import { startMessages } from '../messages/index.js';
import { startPaymentSandbox } from '../payment-sandbox/index.js';

const path = chromiumOfTests();
const inChromium = path ? it : it.skip;
const ofPages = path ? '' : ' (skipped: no Chromium is installed, apt-get install chromium)';
const secret = 'the-secret-of-this-test';
const account = 'AC0123';
const axe = readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');

jest.setTimeout(180_000);

describe(`the pages for development, in a browser${ofPages}`, () => {
  let browser: Browser;
  let sandbox: Service;
  let messages: Service;
  const errorsSeen: string[] = [];
  beforeAll(async () => {
    if (!path) return;
    messages = await startMessages({
      ...{ PORT: '0', SMTP_PORT: '0' },
      ...{ SMS_ACCOUNT_SID: account, SMS_AUTH_TOKEN: secret },
    });
    sandbox = await startPaymentSandbox({
      PORT: '0',
      PAYMENT_SANDBOX_WEBHOOK_URL: 'http://127.0.0.1:9',
      PAYMENT_SANDBOX_WEBHOOK_SECRET: secret,
    });
    browser = await startChromium(path);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([sandbox?.stop(), messages?.stop()]);
  });

  async function newPage(colorScheme: 'light' | 'dark'): Promise<Page> {
    const page = await browser.newPage({ colorScheme });
    page.on('console', (line) => line.type() === 'error' && errorsSeen.push(line.text()));
    return page;
  }
  /** The rules of axe that the page violates. */
  const violations = async (page: Page) => {
    const found = (await page.evaluate(`${axe}; axe.run()`)) as { violations: { id: string }[] };
    return found.violations.map(({ id }) => id);
  };
  const sizeOf = (page: Page, selector: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('${selector}')).fontSize`);

  inChromium.each(['light', 'dark'] as const)('are accessible and styled, %s', async (scheme) => {
    const [provider, paymentId] = [createSandboxProvider(sandbox.url, secret), randomUUID()];
    const { clientSecret } = await provider.confirm({
      ...{ paymentId, transactionId: paymentId, method: 'Challenge Card' },
      ...{ amount: '89.90', currencyCode: 'USD' },
    });
    const basic = Buffer.from(`${account}:${secret}`).toString('base64');
    await fetch(`${messages.url}/2010-04-01/Accounts/${account}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ To: '+12025550123', Body: '123456 is your Holdfast code.' }),
    });
    const page = await newPage(scheme);

    await page.goto(`${messages.url}/`);
    await page.getByRole('link', { name: 'Reload every 5 seconds' }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await sizeOf(page, '.code')).toBe('32px');

    await page.goto(`${sandbox.url}/challenge/${paymentId}?secret=${clientSecret}`);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Payment approved.' }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await provider.lookUp(paymentId)).toMatchObject({ status: 'authorized' });
    await provider.close();
    // The policy has refused nothing that the pages need.
    expect(errorsSeen.filter((error) => !error.includes('favicon'))).toEqual([]);
  });
});
