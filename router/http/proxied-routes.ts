import type { IncomingMessage } from 'node:http';
import { callerCredentials } from '../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { createSubgraphProxy, type SubgraphProxy } from './proxy.js';

/** Files that are sent and received at once, of one client and in all: each holds a connection while its client is slow. */
export const transfersPerClientMax = 16;
export const transfersMax = 128;

interface Route {
  readonly path: RegExp;
  /** serves every method of the path */
  readonly subgraph: string;
  readonly connectionsMax?: number;
  /** whether a POST comes from a payment provider, which signed it */
  readonly isWebhook?: boolean;
}

const routes: readonly Route[] = [
  {
    path: /^\/warehouses\/[^/]+\/stock\.csv$/,
    subgraph: 'warehouse',
    connectionsMax: transfersMax,
  },
  { path: /^\/sales\/[^/]+\/draw\.json$/, subgraph: 'order', connectionsMax: transfersMax },
  { path: /^\/webhooks\/payments\/[^/]+$/, subgraph: 'order', isWebhook: true },
];

export interface ProxiedRoute {
  readonly proxy: SubgraphProxy;
  readonly isWebhook: boolean;
}

/** HTTP routes of subgraphs beside GraphQL, which the router proxies. */
export function createProxiedRoutes(
  urls: ReadonlyMap<string, string>,
  secret: string,
  logger: Logger,
) {
  const credentials = callerCredentials('router', secret);
  const proxies = new Map<string, { url: string; proxy: SubgraphProxy }>();

  // A reloaded supergraph may have another address for a subgraph.
  // Files of clients that read slowly take no connection of webhooks.
  function proxyTo({ subgraph, isWebhook, ...limits }: Route): SubgraphProxy | undefined {
    const url = urls.get(subgraph);
    const key = isWebhook ? `webhooks of ${subgraph}` : subgraph;
    const known = proxies.get(key);
    if (known?.url === url) return known?.proxy;
    void known?.proxy.close();
    proxies.delete(key);
    if (!url) return undefined;
    const proxy = createSubgraphProxy(subgraph, url, credentials, logger, limits);
    proxies.set(key, { url, proxy });
    return proxy;
  }

  return {
    find({ url = '/', method }: IncomingMessage): ProxiedRoute | undefined {
      const [pathname = '/'] = url.split('?', 1);
      const route = routes.find(({ path }) => path.test(pathname));
      const proxy = route && proxyTo(route);
      return proxy && { proxy, isWebhook: route.isWebhook === true && method === 'POST' };
    },
    close: () => Promise.all([...proxies.values()].map(({ proxy }) => proxy.close())),
  };
}
