import { statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { HttpError, sendJson } from '../../subgraphs/shared/http/http.js';
import { whenClosed } from '../../subgraphs/shared/http/when-closed.js';
import { hasHash, immutableSeconds } from '../hashed-names.js';
import type { KnownOperation } from '../operations/known-operations.js';
import { examplesOf } from './examples.js';

const explorerPath = '/graphiql';

/** Where `web/build.mjs` writes GraphiQL: in `dist`, also if the router runs from its sources. */
export const bundledFolder = fileURLToPath(
  new URL(
    import.meta.url.includes('/dist/') ? '../../web/graphiql' : '../../dist/web/graphiql',
    import.meta.url,
  ),
);

/** Whether a path belongs to GraphiQL. */
export const isExplorerPath = (path: string): boolean =>
  path === explorerPath || path.startsWith(`${explorerPath}/`);

const notBuilt = 'GraphiQL is not built: npm run build:web does it.';

/**
 * GraphiQL at `/graphiql`, with its files and example operations below it. The page loads nothing from
 * elsewhere, so it works without internet.
 *
 * @param enabled whether clients may read the schema: GraphiQL is useless without it
 */
export function createExplorer(
  enabled: boolean,
  operations: readonly KnownOperation[],
  folder = bundledFolder,
) {
  const files = enabled ? watchFiles(folder) : null;
  const examples = examplesOf(operations);

  /** @throws HttpError 404 for an unknown path */
  return function serve(request: IncomingMessage, response: ServerResponse, path: string): void {
    const nothingThere = () => new HttpError(404, `Not found: ${path}`);
    if (!enabled) throw nothingThere();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      throw new HttpError(405, `Method not allowed: ${request.method}`);
    }
    if (path === `${explorerPath}/examples.json`) {
      response.setHeader('cache-control', 'no-cache');
      sendJson(response, 200, examples);
      return;
    }
    const serveFile = files?.current();
    if (!serveFile) throw new HttpError(404, notBuilt);
    serveFile(request, response, () => {
      throw nothingThere();
    });
  };
}

/**
 * The file server of a folder. sirv reads names and sizes once, so it is created again after a new build,
 * which writes the page last.
 */
function watchFiles(folder: string) {
  const builtAtMs = () => statSync(join(folder, 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
  let readAtMs: number | undefined;
  let server: ReturnType<typeof sirv> | null = null;
  return {
    /** @returns null if nothing was built */
    current() {
      const now = builtAtMs();
      if (now === undefined) return null;
      if (now !== readAtMs) [readAtMs, server] = [now, createFileServer(folder)];
      return server;
    },
  };
}

/** Serves the files of a folder, each with its `.gz` beside it. */
function createFileServer(folder: string): ReturnType<typeof sirv> {
  const serveFile = sirv(dirname(folder), {
    gzip: true,
    maxAge: immutableSeconds,
    immutable: true,
    setHeaders(response, path) {
      if (!hasHash(path)) response.setHeader('cache-control', 'no-cache');
    },
  });
  return (request, response, next) => {
    // No client needs a range of these files, and sirv throws for a range that ends before it begins.
    delete request.headers.range;
    // sirv does not handle errors of the stream: an unreadable file would end the process, and an aborted
    // download would leave its file open.
    response.once('pipe', (file: Readable) => {
      file.once('error', () => response.destroy());
      whenClosed(response, () => file.destroy());
    });
    serveFile(request, response, next);
  };
}
