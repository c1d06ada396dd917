import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { addProducts } from '../../dev/screenshots/catalogue.js';
import { visit } from '../../dev/screenshots/visit.js';
import { root } from '../../ops/subgraph-names.js';
import { chromiumOfTests, startChromium } from '../harness/chromium.js';
import { createPlace } from '../harness/launcher.js';
import { storeVisits } from '../harness/store-browser.js';

const path = chromiumOfTests();
const inChromium = path ? it : it.skip;
const ofBrowser = path ? '' : ' (skipped: no Chromium is installed)';
jest.setTimeout(240_000);

const looks = [
  ['light', 1280],
  ['dark', 360],
] as const;
/** in full length only: the other combinations */
const moreLooks = [
  ['light', 360],
  ['dark', 1280],
] as const;
const firstPageMaxBytes = 120_000;
const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Violations that are serious or critical, as text. */
async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const { violations } = (await page.evaluate('axe.run({ preload: false })')) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe('the first page of the store', () => {
  it('is smaller than 120 KB, compressed', () => {
    const folder = join(root, 'dist/web/store');
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, file]) => file);
    expect(files).toHaveLength(3);
    const sizes = files.map((file) => gzipSync(readFileSync(join(folder, file as string))).length);
    const total = sizes.reduce((sum, size) => sum + size, gzipSync(html).length);
    expect(total).toBeLessThan(firstPageMaxBytes);
  });

  it('contains no GraphQL parser', () => {
    const folder = join(root, 'dist/web/store');
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    const script = /src="\/(assets\/[^"]+\.js)"/.exec(html)?.[1] as string;
    expect(readFileSync(join(folder, script), 'utf8')).not.toMatch(
      /Syntax Error: |kind:"Document"/,
    );
  });
});

describe(`all pages of the store${ofBrowser}`, () => {
  let place: Awaited<ReturnType<typeof createPlace>>;
  let browser: Browser;
  let slugs: string[];
  const visits = storeVisits(
    () => browser,
    () => `http://localhost:${place.base}`,
  );

  beforeAll(async () => {
    if (!path) return;
    place = await createPlace();
    const run = place.run({ PAYMENT_TIMEOUT_SECONDS: '4', RATE_LIMIT_PROFILE: 'bench' });
    browser = await startChromium(path);
    await run.untilReady();
    slugs = await addProducts(`http://localhost:${place.base}`);
  });
  afterAll(async () => {
    await browser?.close();
    await place?.close();
  });

  inChromium.each([...looks, ...(process.env.LONG ? moreLooks : [])])(
    'are accessible and need no horizontal scrolling: %s, %i px',
    async (colorScheme, width) => {
      const viewport = { width, height: 800 };
      const { page, errors } = await visits.open({
        colorScheme,
        viewport,
        reducedMotion: 'reduce',
      });
      const found: Record<string, unknown> = {};
      for (const { name, go } of visit(slugs)) {
        await go(page);
        await page.getByRole('heading', { level: 1 }).waitFor();
        const violations = await seriousViolations(page);
        const widthNeeded = (await page.evaluate('document.documentElement.scrollWidth')) as number;
        if (violations.length > 0 || widthNeeded > width) found[name] = { violations, widthNeeded };
      }
      expect(found).toEqual({});
      await visits.closeAll();
      // The last stop is without a connection.
      const unexpected = errors.filter((text) => !/ERR_INTERNET_DISCONNECTED|WebSocket/.test(text));
      expect(unexpected).toEqual([]);
    },
  );
});
