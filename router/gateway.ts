import { readFileSync } from 'node:fs';
import { ApolloGateway } from '@apollo/gateway';
import { callerCredentials } from '../subgraphs/shared/auth.js';
import type { Logger } from '../subgraphs/shared/logger.js';
import type { RouterConfig } from './config.js';
import { SubgraphDataSource } from './subgraph-data-source.js';
import { watchSubgraphs } from './subgraph-health.js';

/** Federates queries and mutations over the subgraphs that the supergraph names. */
export function createGateway(config: RouterConfig, logger: Logger) {
  const credentials = callerCredentials('router', config.ROUTER_SECRET);
  const sources: SubgraphDataSource[] = [];
  const urls = new Map<string, string>();
  const gateway = new ApolloGateway({
    supergraphSdl: readFileSync(config.SUPERGRAPH_PATH, 'utf8'),
    logger,
    buildService({ name, url }) {
      const given = config[`SUBGRAPH_URL_${name.toUpperCase()}` as keyof RouterConfig];
      const address = (given as string) || (url as string);
      urls.set(name, address);
      const source = new SubgraphDataSource(name, address, credentials, logger);
      sources.push(source);
      return source;
    },
  });
  return {
    gateway,
    health: watchSubgraphs(urls, credentials, logger),
    closeSources: () => Promise.all(sources.map((source) => source.close())),
  };
}
