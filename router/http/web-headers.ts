import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';
import helmet from 'helmet';
import { isExplorerPath } from '../explorer/index.js';
import { isPicturePath, isStorePath } from '../store/paths.js';

const sandboxCdn = [
  'https://apollo-server-landing-page.cdn.apollographql.com',
  'https://embeddable-sandbox.cdn.apollographql.com',
];

/**
 * Sources of Apollo Sandbox's page. Its inline scripts and styles have a nonce, which the page's own policy
 * requires; both policies apply, so ours need not contain it.
 */
const contentPolicy = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'", "'unsafe-inline'", ...sandboxCdn],
  styleSrc: ["'self'", "'unsafe-inline'", ...sandboxCdn, 'https://fonts.googleapis.com'],
  fontSrc: ["'self'", 'https://fonts.gstatic.com'],
  imgSrc: ["'self'", 'data:', ...sandboxCdn],
  manifestSrc: ["'self'", ...sandboxCdn],
  frameSrc: ['https://sandbox.embed.apollographql.com'],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  objectSrc: ["'none'"],
};

/** GraphiQL loads from the router alone. Monaco, its editor, writes styles into the page. */
const explorerPolicy = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  fontSrc: ["'self'", 'data:'],
  imgSrc: ["'self'", 'data:'],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  objectSrc: ["'none'"],
};

/**
 * The store loads from the router alone and has no inline scripts or styles. `connect-src 'self'` covers the
 * WebSocket of subscriptions: Chromium and Firefox match `ws:` and `wss:` of the same host to it (CSP Level 3).
 * Trusted Types refuse every text that a script would insert as HTML or as code.
 */
const storePolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
};

type Policy = Readonly<Record<string, Iterable<string>>>;
type SetHeaders = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Headers of every response: the content security policy, and CORS for the allowed origins, except for the store,
 * whose files only its own pages load, but for the pictures: pages of every origin may show those that
 * `Product.images` links. No cookies are used, so an allowed origin gets nothing that other clients do not get.
 */
export function createWebHeaders(origins: readonly string[], hasTls: boolean): SetHeaders {
  const securityWith = (directives: Policy, resources: 'same-origin' | 'cross-origin') =>
    headersOf(
      helmet({
        contentSecurityPolicy: { useDefaults: false, directives },
        crossOriginResourcePolicy: { policy: resources },
        crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' },
        referrerPolicy: { policy: 'strict-origin-when-cross-origin' },
        strictTransportSecurity: hasTls,
      }),
    );
  const security = securityWith(contentPolicy, 'same-origin');
  const explorerSecurity = securityWith(explorerPolicy, 'same-origin');
  const storeSecurity = securityWith(storePolicy, 'same-origin');
  const pictureSecurity = securityWith(storePolicy, 'cross-origin');
  const setCors = cors<IncomingMessage>({
    origin: [...origins],
    methods: ['GET', 'POST', 'PUT'],
    exposedHeaders: ['x-request-id', 'retry-after', 'content-disposition'],
    maxAge: 600,
    preflightContinue: true,
  });
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/';
    const isStore = isStorePath(path);
    const ofExplorer = isExplorerPath(path) ? explorerSecurity : security;
    const ofStore = isPicturePath(path) ? pictureSecurity : storeSecurity;
    const headers = isStore ? ofStore : ofExplorer;
    for (const [name, value] of headers) response.setHeader(name, value);
    if (origins.length > 0 && !isStore) setCors(request, response, done);
  };
}

const done = (error?: unknown) => {
  if (error) throw error;
};

/** The headers that helmet sets, which are the same for each request. */
function headersOf(middleware: ReturnType<typeof helmet>): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  const recorder = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: () => {},
  };
  middleware({} as IncomingMessage, recorder as unknown as ServerResponse, done);
  return headers;
}

/** Whether the request is a CORS preflight; the headers are the response. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/**
 * Whether a page may open a WebSocket: those of this host and of `CORS_ORIGINS`. Browsers allow it to every
 * page. No cookie identifies a user, so a foreign page could do no more than any client; it is refused as
 * over HTTP. Clients that are not browsers send no origin.
 */
export function isOriginAllowed({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
