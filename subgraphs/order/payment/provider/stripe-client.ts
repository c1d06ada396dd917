import Stripe from 'stripe';
import { Agent, fetch, type RequestInit } from 'undici';
import { clientKeepAlive } from '../../../shared/http/keep-alive.js';

const connectionsMax = 32;
// Less than the time limit of a request: without a connection, nothing was sent.
const connectMaxMs = 3000;
const pageMax = 100;
// Far more than an account has in a day: a list that does not end is a fault.
const pagesMax = 10_000;

export interface StripeClientSettings {
  readonly secretKey: string;
  /** replaces Stripe's own API, for tests */
  readonly apiUrl?: string;
}

export interface StripeClient {
  readonly stripe: Stripe;
  close(): Promise<void>;
}

/**
 * Creates a client that sends each request exactly once, over connections of its own. The SDK's HTTP client
 * is replaced: it repeats a request whose connection was reset even with `maxNetworkRetries: 0`, and limits
 * neither the time to connect nor the whole time of a request.
 */
export function createStripeClient(settings: StripeClientSettings): StripeClient {
  const dispatcher = new Agent({
    connections: connectionsMax,
    connect: { timeout: connectMaxMs },
    ...clientKeepAlive,
  });
  const send = (url: string, init: RequestInit) => fetch(url, { ...init, dispatcher });
  const stripe = new Stripe(settings.secretKey, {
    ...(settings.apiUrl && addressOf(settings.apiUrl)),
    httpClient: Stripe.createFetchHttpClient(send as unknown as typeof globalThis.fetch),
    maxNetworkRetries: 0,
    telemetry: false,
  });
  return { stripe, close: () => dispatcher.close() };
}

function addressOf(url: string) {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port, protocol: protocol.replace(':', '') as 'http' | 'https' };
}

export interface RequestLimit {
  /** ms */
  readonly timeout: number;
}

/** The options of requests that must together end within a time limit. */
export function startLimit(timeLimitMs: number): () => RequestLimit {
  const endsAtMs = performance.now() + timeLimitMs;
  // The SDK takes 0 for its own default.
  return () => ({ timeout: Math.max(1, Math.round(endsAtMs - performance.now())) });
}

interface Page<T> {
  readonly data: readonly T[];
  readonly has_more: boolean;
}

export interface PageRequest {
  readonly limit: number;
  readonly starting_after?: string;
}

/** All objects of a list, page by page. @throws an error if it does not end */
export async function* pagesOf<T extends { readonly id: string }>(
  fetchPage: (request: PageRequest) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let request: PageRequest = { limit: pageMax };
  for (let page = 0; page < pagesMax; page++) {
    const { data, has_more } = await fetchPage(request);
    yield* data;
    const last = data.at(-1);
    if (!has_more || !last) return;
    request = { limit: pageMax, starting_after: last.id };
  }
  throw new Error(`Stripe: a list has more than ${pagesMax} pages`);
}
