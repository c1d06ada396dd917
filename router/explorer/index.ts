import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError, sendJson } from '../../subgraphs/shared/http/http.js';
import type { KnownOperation } from '../operations/known-operations.js';
import { examplesOf } from './examples.js';
import { readWebFiles, sendWebFile } from './files.js';

const folder = '/graphiql';

/** Whether a path is one of GraphiQL's. */
export const isExplorerPath = (path: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

const notBuilt = 'GraphiQL is not built: npm run build:web does it.';

/**
 * GraphiQL at `/graphiql`, with its parts and its example operations below it: all that the page
 * loads comes from here, so that it works where there is no internet.
 *
 * @param enabled whether clients may read the schema: without it GraphiQL is of no use
 */
export function createExplorer(enabled: boolean, operations: readonly KnownOperation[]) {
  const files = enabled ? readWebFiles() : new Map();
  const examples = examplesOf(operations);

  /** @throws HttpError where there is nothing at the path */
  return function serve(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (!enabled) throw new HttpError(404, `There is nothing at ${path}.`);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      throw new HttpError(405, `There is no ${request.method} here.`);
    }
    const name = path.slice(folder.length + 1) || 'index.html';
    if (name === 'examples.json') {
      response.setHeader('cache-control', 'no-cache');
      sendJson(response, 200, examples);
      return;
    }
    const file = files.get(name);
    if (!file) throw new HttpError(404, files.size ? `There is nothing at ${path}.` : notBuilt);
    sendWebFile(request, response, file);
  };
}
