import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasHash } from '../hashed-names.js';
import { hasKnownType, type StoredFile, storeFile } from './stored-file.js';

/** Where `web/build.mjs` writes the store: in `dist`, also if the router runs from its sources. */
export const bundledFolder = fileURLToPath(
  new URL(
    import.meta.url.includes('/dist/') ? '../../web/store' : '../../dist/web/store',
    import.meta.url,
  ),
);

// Some builds of a development folder, or an image of any size that is sensible for a store.
const assetsMaxBytes = 64_000_000;

/** The files of a build, in memory. */
export interface StoreFiles {
  readonly page: StoredFile;
  /** path (`/assets/store-ABCD2345.js`) → file, the newest first */
  readonly assets: ReadonlyMap<string, StoredFile>;
}

/**
 * The files of a folder, read again after a new build, which writes the page last. Assets of earlier builds are kept,
 * as a page that is open may still load them; beyond `maxBytes` (uncompressed) the oldest assets are dropped.
 *
 * @param isWatched whether a new build is noticed; if not, files are read once, and disks are not touched again
 */
export function watchBuild(folder: string, isWatched: boolean, maxBytes = assetsMaxBytes) {
  const pageFile = join(folder, 'index.html');
  const builtAtMs = () => statSync(pageFile, { throwIfNoEntry: false })?.mtimeMs;
  let readAtMs: number | undefined;
  let files: StoreFiles | null = null;
  const readIfNew = () => {
    const now = builtAtMs();
    if (now === undefined || now === readAtMs) return;
    const page = storeFile('index.html', readFileSync(pageFile));
    files = { page, assets: readAssets(folder, files?.assets ?? new Map(), maxBytes) };
    readAtMs = now;
  };
  readIfNew();
  return {
    /** @returns null if nothing was built */
    current(): StoreFiles | null {
      if (isWatched) readIfNew();
      return files;
    },
  };
}

/** Files with a hash in their name do not change, so those of `earlier` are not compressed again. */
function readAssets(
  folder: string,
  earlier: StoreFiles['assets'],
  maxBytes: number,
): Map<string, StoredFile> {
  const assets = new Map<string, StoredFile>();
  let bytes = 0;
  const add = (path: string, file: StoredFile) => {
    bytes += file.bytes;
    if (bytes <= maxBytes) assets.set(path, file);
  };
  for (const { path, file } of listAssets(folder)) {
    const known = hasHash(path) ? earlier.get(path) : undefined;
    add(path, known ?? storeFile(file, readFileSync(file)));
  }
  for (const [path, file] of earlier) if (!assets.has(path)) add(path, file);
  return assets;
}

/** Regular files with a known type, the newest first. Symbolic links are not followed. */
function listAssets(folder: string) {
  const assets = join(folder, 'assets');
  if (!existsSync(assets)) return [];
  return readdirSync(assets, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && hasKnownType(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({
      file,
      path: `/${relative(folder, file).split(sep).join('/')}`,
      mtimeMs: statSync(file).mtimeMs,
    }))
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
}
