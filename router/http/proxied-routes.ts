import type { IncomingMessage } from 'node:http';
import { callerCredentials } from '../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { createSubgraphProxy, type SubgraphProxy } from './proxy.js';

// path → the subgraph that serves it, for every method
const routes = [
  { path: /^\/warehouses\/[^/]+\/stock\.csv$/, subgraph: 'warehouse' },
  { path: /^\/webhooks\/payments\/[^/]+$/, subgraph: 'order' },
] as const;

/** HTTP routes of subgraphs beside GraphQL, which the router proxies. */
export function createProxiedRoutes(
  urls: ReadonlyMap<string, string>,
  secret: string,
  logger: Logger,
) {
  const credentials = callerCredentials('router', secret);
  const proxies = new Map<string, { url: string; proxy: SubgraphProxy }>();

  // A reloaded supergraph may have another address for a subgraph.
  function proxyTo(subgraph: string): SubgraphProxy | undefined {
    const url = urls.get(subgraph);
    const known = proxies.get(subgraph);
    if (known?.url === url) return known?.proxy;
    void known?.proxy.close();
    proxies.delete(subgraph);
    if (!url) return undefined;
    const proxy = createSubgraphProxy(subgraph, url, credentials, logger);
    proxies.set(subgraph, { url, proxy });
    return proxy;
  }

  return {
    proxyFor({ url = '/' }: IncomingMessage): SubgraphProxy | undefined {
      const [pathname = '/'] = url.split('?', 1);
      const route = routes.find(({ path }) => path.test(pathname));
      return route && proxyTo(route.subgraph);
    },
    close: () => Promise.all([...proxies.values()].map(({ proxy }) => proxy.close())),
  };
}
