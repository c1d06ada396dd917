import { findChromium } from '../../dev/browser/chromium.js';

export { startChromium } from '../../dev/browser/chromium.js';

/** The Chromium of this machine; null where there is none. In CI that fails the test file. */
export function chromiumOfTests(): string | null {
  const path = findChromium();
  if (!path && process.env.CI) throw new Error('Chromium is missing: .ci/run installs it.');
  return path;
}
