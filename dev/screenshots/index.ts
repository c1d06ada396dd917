import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { root } from '../../ops/subgraph-names.js';
import { findChromium, startChromium } from '../browser/chromium.js';
import { addProducts } from './catalogue.js';
import { startStore } from './system.js';
import { visit } from './visit.js';

/**
 * `npm run screenshots`: all pages of the store, light and dark, wide and narrow, to look at; and the one in the README.
 * They are written to `.holdfast/screenshots`.
 */
const folder = join(root, '.holdfast/screenshots');
const imageOfReadme = join(root, 'docs/images/storefront.webp');
const widths = { wide: 1280, narrow: 360 } as const;
const schemes = ['light', 'dark'] as const;
// Numbers that have just changed flash for a moment.
const settleMs = 1200;

async function main(): Promise<void> {
  const path = findChromium();
  if (!path) throw new Error('Chromium is missing: apt-get install chromium');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const store = await startStore();
  const browser = await startChromium(path);
  try {
    const slugs = await addProducts(store.url);
    await writeReadmeImage(browser, store.url);
    for (const colorScheme of schemes) {
      for (const [size, width] of Object.entries(widths)) {
        const viewport = { width, height: 900 };
        const context = await browser.newContext({ baseURL: store.url, viewport, colorScheme });
        await takeAll(context, slugs, `${colorScheme}-${size}`);
        await context.close();
      }
    }
  } finally {
    await browser.close();
    await store.stop();
  }
  console.log(`The screenshots are in ${folder}`);
}

async function takeAll(context: BrowserContext, slugs: readonly string[], variant: string) {
  const page = await context.newPage();
  for (const { name, go } of visit(slugs)) {
    await go(page);
    await page.waitForTimeout(settleMs);
    await page.screenshot({ path: join(folder, `${name}-${variant}.png`), fullPage: true });
  }
}

async function writeReadmeImage(browser: Browser, url: string): Promise<void> {
  const viewport = { width: 1280, height: 860 };
  const context = await browser.newContext({ baseURL: url, viewport, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto('/');
  await page.getByText('available').first().waitFor();
  await page.waitForTimeout(settleMs);
  mkdirSync(join(imageOfReadme, '..'), { recursive: true });
  writeFileSync(imageOfReadme, await webpOf(page));
  await context.close();
}

/** Playwright itself writes only PNG and JPEG. */
async function webpOf(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page);
  const options = { format: 'webp', quality: 82 } as const;
  const { data } = await session.send('Page.captureScreenshot', options);
  return Buffer.from(data, 'base64');
}

await main();
