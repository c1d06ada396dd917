import type { IncomingMessage } from 'node:http';
import { callerCredentials } from '../subgraphs/shared/auth.js';
import type { Logger } from '../subgraphs/shared/logger.js';
import { createPassOn, type PassOn } from './pass-on.js';

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
  const made = routes.flatMap(({ path, subgraph }) => {
    const url = urls.get(subgraph);
    return url ? [{ path, passOn: createPassOn(subgraph, url, credentials, logger) }] : [];
  });
  return {
    routeFor({ url = '/' }: IncomingMessage): PassOn | undefined {
      const [asked = '/'] = url.split('?', 1);
      return made.find(({ path }) => path.test(asked))?.passOn;
    },
    close: () => Promise.all(made.map(({ passOn }) => passOn.close())),
  };
}
