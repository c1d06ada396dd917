import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { callerCredentials, callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { type List, nodes } from './connections.js';
import type { TestSystem } from './system.js';

export interface StockNumber {
  readonly variant: { readonly sku: string };
  readonly available: number;
  readonly version: number;
}

/** A graphql-ws client of the warehouse subgraph, authenticated like the router. */
export const warehouseClient = (system: TestSystem, secret?: string): Client =>
  subgraphClient(system, 'warehouse', { secret });

/**
 * A graphql-ws client of a subgraph, authenticated like the router, for a user if there is a token.
 */
export function subgraphClient(
  system: TestSystem,
  subgraph: 'warehouse' | 'order',
  { secret, token }: { secret?: string | undefined; token?: string | undefined } = {},
): Client {
  const routerSecret = secret ?? (system.secrets.callers.ROUTER_SECRET as string);
  return createClient({
    url: `ws://127.0.0.1:${system.ports.ports[subgraph]}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: true,
    connectionParams: {
      [callerHeader]: callerCredentials('router', routerSecret),
      ...(token && { authorization: `Bearer ${token}` }),
    },
  });
}

export interface SeenOrder {
  readonly status: string;
  readonly cancelReason: string | null;
  readonly shopOrders: ReadonlyArray<{ readonly id: string; readonly status: string }>;
  readonly history: List<{ readonly type: string }>;
}

/** Subscribes to an order and records the events. */
export function watchOrder(client: Client, id: string) {
  const seen: SeenOrder[] = [];
  let failure: unknown;
  const stop = client.subscribe<{ orderChanged: SeenOrder }>(
    {
      query: `subscription ($id: UUID!) {
        orderChanged(id: $id) { status cancelReason shopOrders { id status } history(first: 100) { ${nodes('type')} } }
      }`,
      variables: { id },
    },
    {
      next: ({ data, errors }) => {
        if (errors || !data) failure = errors?.[0];
        else seen.push(data.orderChanged);
      },
      error: (error) => {
        failure = Array.isArray(error) ? error[0] : error;
      },
      complete: () => {},
    },
  );
  return { seen, stop, failure: () => failure };
}

/** Subscribes to stock and records the events. */
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
