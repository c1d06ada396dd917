import { mkdirSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const storePage = '<!doctype html><title>Store</title><div id="app"></div>';
export const storeScript = '/assets/store-ABCD2345.js';
export const storePicture = '/assets/pictures/trail.svg';

/** What `web/build.mjs` writes, in small: each kind of file that a store has. */
const files: Readonly<Record<string, string>> = {
  'index.html': storePage,
  [storeScript]: `console.log(${JSON.stringify('store '.repeat(200))});`,
  '/assets/store-ABCD2345.js.map': '{"version":3}',
  '/assets/store-WXYZ6789.css': `${'body { margin: 0 }\n'.repeat(100)}`,
  '/assets/inter-FONT2345.woff2': 'a font',
  '/assets/store-ABCD2345.js.LEGAL.txt': 'licences',
  [storePicture]: `<svg xmlns="http://www.w3.org/2000/svg">${'<path d="M0 0"/>'.repeat(50)}</svg>`,
  '/assets/photo.png': 'a png',
  '/assets/photo.webp': 'a webp',
  '/assets/favicon.ico': 'an icon',
  '/assets/data.json': '{}',
  '/assets/store-ABCD2345.js.new': 'a file that is being written',
};

/** A folder with a build of a store; the caller removes it. */
export function createStoreBuild(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-store-'));
  for (const [path, content] of Object.entries(files)) writeStoreFile(folder, path, content);
  writeFileSync(join(folder, 'stamp.txt'), 'not for clients');
  return folder;
}

/** @param ageSeconds how long ago it was written */
export function writeStoreFile(folder: string, path: string, content: string, ageSeconds = 60) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  const writtenAt = new Date(Date.now() - ageSeconds * 1000);
  utimesSync(file, writtenAt, writtenAt);
}
