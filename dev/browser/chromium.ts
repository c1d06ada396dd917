import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The Chromium of this machine, on the PATH; null where there is none. */
export function findChromium(): string | null {
  const folders = (process.env.PATH ?? '').split(':').filter(Boolean);
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** Root may not have Chromium's own sandbox; what it opens is ours. */
export function startChromium(path: string): Promise<Browser> {
  const args = ['--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'];
  return chromium.launch({ executablePath: path, chromiumSandbox: false, args, timeout: 90_000 });
}
