import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from '../../subgraphs/shared/http/http.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import type { ConsumeFileLimit } from '../limits/file-limit.js';
import { bundledFolder, watchBuild } from './build-folder.js';
import { decodePath, isPagePath, settingsPath } from './paths.js';
import type { StoreSettings } from './settings.js';
import { type StoredFile, sendFile, storeFile } from './stored-file.js';

export interface StoreOptions {
  readonly settings: StoreSettings;
  readonly consumeFileLimit: ConsumeFileLimit;
  readonly logger: Logger;
  /** the files of the build; by default those of `npm run build:web` */
  readonly folder?: string | undefined;
}

const notBuilt = {
  development: 'The store is not built. Run npm run build:web.',
  production: 'The store is not built. Run npm run build:web, then restart the router.',
};

/**
 * Serves the store, a single-page app, from memory: `index.html` at the path of each of its pages, its files at
 * `/assets`, and its settings at `/config.json`. In production the build is read once, at start.
 */
export function createStore({
  settings,
  consumeFileLimit,
  logger,
  folder = bundledFolder,
}: StoreOptions) {
  const build = watchBuild(folder, settings.mode === 'development');
  if (!build.current()) logger.warn({ folder }, 'store build not found');
  const settingsFile = storeFile('config.json', Buffer.from(JSON.stringify(settings)));

  function find(path: string): StoredFile {
    if (path === settingsPath) return settingsFile;
    const files = build.current();
    if (!files) throw new HttpError(404, notBuilt[settings.mode]);
    // The raw path decides whether it is a page, as it does for the headers.
    const decoded = decodePath(path);
    const file = decoded && (isPagePath(path) ? files.page : files.assets.get(decoded));
    if (!file) throw new HttpError(404, `Not found: ${path}`);
    return file;
  }

  /**
   * @param path one for which `isStorePath` holds
   * @throws HttpError 404 for an unknown file, 405 for a method other than GET and HEAD
   * @throws `RATE_LIMITED` for an address over the limit of files
   */
  return function serve(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    address: string,
  ): void {
    // Errors must not be cached: after a new version, a file may be missing for some seconds only.
    response.setHeader('cache-control', 'no-store');
    consumeFileLimit(address);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      throw new HttpError(405, `Method not allowed: ${request.method}`);
    }
    sendFile(request, response, find(path));
  };
}
