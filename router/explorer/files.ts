import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file as it is served; `zipped` where a browser takes gzip. */
interface WebFile {
  readonly plain: Buffer;
  readonly zipped: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where `web/build.mjs` puts GraphiQL: in `dist`, also while the router runs from its sources. */
export const bundledFolder = fileURLToPath(
  new URL(
    import.meta.url.includes('/dist/') ? '../../web/graphiql' : '../../dist/web/graphiql',
    import.meta.url,
  ),
);

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
};

// All names but that of the page have a hash of what is in the file.
const forAYear = 'public, max-age=31536000, immutable';
const askedEachTime = 'no-cache';

/**
 * Reads the files of a folder that was built, each with its `.gz` beside it. They are kept in memory:
 * a page then finds the parts that belong to it, though the folder is built anew meanwhile.
 *
 * @returns by name; empty where nothing was built
 */
export function readWebFiles(folder = bundledFolder): ReadonlyMap<string, WebFile> {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => contentTypes[extname(name)] !== undefined);
  } catch {
    return new Map();
  }
  const files = names.map((name) => {
    const headers = {
      'content-type': contentTypes[extname(name)] as string,
      'cache-control': extname(name) === '.html' ? askedEachTime : forAYear,
      vary: 'accept-encoding',
    };
    const path = join(folder, name);
    const file = { plain: readFileSync(path), zipped: readFileSync(`${path}.gz`), headers };
    return [name, file] as const;
  });
  return new Map(files);
}

/** Answers with a file. */
export function sendWebFile(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  file: WebFile,
): void {
  const takesGzip = /\bgzip\b/.test(headers['accept-encoding']?.toString() ?? '');
  const body = takesGzip ? file.zipped : file.plain;
  response.writeHead(200, {
    ...file.headers,
    ...(takesGzip && { 'content-encoding': 'gzip' }),
    'content-length': body.length,
  });
  response.end(method === 'HEAD' ? undefined : body);
}
