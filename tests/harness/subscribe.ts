import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { callerCredentials, callerHeader } from '../../subgraphs/shared/auth.js';
import type { TestSystem } from './system.js';

export interface StockNumber {
  readonly variant: { readonly sku: string };
  readonly available: number;
  readonly version: number;
}

/** A graphql-ws client of the warehouse subgraph, as the router is one. */
export function warehouseClient(system: TestSystem, secret?: string): Client {
  const own = secret ?? (system.secrets.callers.ROUTER_SECRET as string);
  return createClient({
    url: `ws://127.0.0.1:${system.ports.ports.warehouse}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: true,
    connectionParams: { [callerHeader]: callerCredentials('router', own) },
  });
}

/** Subscribes, and keeps what arrives. */
export function watchStock(client: Client, variables: { skus?: string[]; shopId?: string }) {
  const seen: StockNumber[] = [];
  let failure: unknown;
  const stop = client.subscribe<{ stockChanged: StockNumber }>(
    {
      query: `subscription ($skus: [String!], $shopId: UUID) {
        stockChanged(skus: $skus, shopId: $shopId) { variant { sku } available version }
      }`,
      variables,
    },
    {
      next: ({ data, errors }) => {
        if (data) seen.push(data.stockChanged);
        else failure = errors?.[0];
      },
      error: (error) => {
        failure = Array.isArray(error) ? error[0] : error;
      },
      complete: () => {},
    },
  );
  return { seen, stop, failure: () => failure };
}
