import { readFileSync } from 'node:fs';
import { ApolloGateway } from '@apollo/gateway';
import { callerCredentials } from '../subgraphs/shared/auth.js';
import type { Logger } from '../subgraphs/shared/logger.js';
import { gaugeOf, type Registry } from '../subgraphs/shared/metrics.js';
import type { RouterConfig } from './config.js';
import { createPlanCache, createSubgraphTimer } from './router-metrics.js';
import { SubgraphDataSource } from './subgraph-data-source.js';
import { watchSubgraphs } from './subgraph-health.js';

/** Federates queries and mutations over the subgraphs that the supergraph names. */
export function createGateway(config: RouterConfig, logger: Logger, registry: Registry) {
  const timed = createSubgraphTimer(registry);
  const credentials = callerCredentials('router', config.ROUTER_SECRET);
  const sources: SubgraphDataSource[] = [];
  const urls = new Map<string, string>();
  const gateway = new ApolloGateway({
    supergraphSdl: readFileSync(config.SUPERGRAPH_PATH, 'utf8'),
    logger,
    queryPlannerConfig: { cache: createPlanCache(registry) },
    buildService({ name, url }) {
      const given = config[`SUBGRAPH_URL_${name.toUpperCase()}` as keyof RouterConfig];
      const address = (given as string) || (url as string);
      urls.set(name, address);
      const source = new SubgraphDataSource(name, address, credentials, logger);
      sources.push(source);
      return timed(name, source);
    },
  });
  const health = watchSubgraphs(urls, credentials, logger);
  const up = {
    name: 'holdfast_subgraph_up',
    help: 'Whether a subgraph answered the last ping: 1, or 0.',
    label: 'subgraph',
  };
  gaugeOf(registry, up, health.state);
  return {
    gateway,
    health,
    closeSources: () => Promise.all(sources.map((source) => source.close())),
  };
}
