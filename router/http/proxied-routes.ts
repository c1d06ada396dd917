import type { IncomingMessage } from 'node:http';
import { callerCredentials } from '../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { createPassOn, type PassOn } from './proxy.js';

// path → the subgraph that answers there, whatever the method
const routes = [
  { path: /^\/warehouses\/[^/]+\/stock\.csv$/, subgraph: 'warehouse' },
  { path: /^\/webhooks\/payments\/[^/]+$/, subgraph: 'order' },
] as const;

/** What subgraphs serve beside the graph, where the supergraph has them: the router passes it on. */
export function createPassedRoutes(
  urls: ReadonlyMap<string, string>,
  secret: string,
  logger: Logger,
) {
  const credentials = callerCredentials('router', secret);
  const made = new Map<string, { url: string; passOn: PassOn }>();

  // A supergraph that is loaded anew may say that a subgraph is elsewhere.
  function passOnTo(subgraph: string): PassOn | undefined {
    const url = urls.get(subgraph);
    const known = made.get(subgraph);
    if (known?.url === url) return known?.passOn;
    void known?.passOn.close();
    made.delete(subgraph);
    if (!url) return undefined;
    const passOn = createPassOn(subgraph, url, credentials, logger);
    made.set(subgraph, { url, passOn });
    return passOn;
  }

  return {
    routeFor({ url = '/' }: IncomingMessage): PassOn | undefined {
      const [asked = '/'] = url.split('?', 1);
      const route = routes.find(({ path }) => path.test(asked));
      return route && passOnTo(route.subgraph);
    },
    close: () => Promise.all([...made.values()].map(({ passOn }) => passOn.close())),
  };
}
