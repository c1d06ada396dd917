import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';
import helmet from 'helmet';
import { isExplorerPath } from '../explorer/index.js';

const sandboxCdn = [
  'https://apollo-server-landing-page.cdn.apollographql.com',
  'https://embeddable-sandbox.cdn.apollographql.com',
];

/**
 * What Apollo's page loads. Its inline scripts and styles have a nonce, which its own policy, in the
 * page, insists on; both policies hold, so that ours need not know it.
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

/** What GraphiQL loads: from the router alone. Monaco, its editor, writes styles into the page. */
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

type Policy = Readonly<Record<string, Iterable<string>>>;
type SetHeaders = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The headers of every answer: what browsers may do with it, and pages of which other origins may
 * read it. Nothing is sent with cookies, so no origin gets more than anybody has.
 */
export function createWebHeaders(origins: readonly string[], hasTls: boolean): SetHeaders {
  const securityWith = (directives: Policy) =>
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives },
      crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' },
      referrerPolicy: { policy: 'strict-origin-when-cross-origin' },
      strictTransportSecurity: hasTls,
    });
  const setSecurity = securityWith(contentPolicy);
  const setExplorerSecurity = securityWith(explorerPolicy);
  const setCors = cors<IncomingMessage>({
    origin: [...origins],
    methods: ['GET', 'POST', 'PUT'],
    exposedHeaders: ['x-request-id', 'retry-after', 'content-disposition'],
    maxAge: 600,
    preflightContinue: true,
  });
  const done = (error?: unknown) => {
    if (error) throw error;
  };
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/';
    if (isExplorerPath(path)) setExplorerSecurity(request, response, done);
    else setSecurity(request, response, done);
    if (origins.length > 0) setCors(request, response, done);
  };
}

/** Whether a browser asks what pages of another origin may send; the headers are the answer. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/**
 * Whether a page may open a WebSocket, which browsers allow every page: those of this host and of
 * `CORS_ORIGINS`. Nothing is known of a user by cookies here, so a stranger's page could do no more
 * than anybody; it is refused all the same, as it is over HTTP. What is no browser sends no origin.
 */
export function isOriginAllowed({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
