import { readFileSync } from 'node:fs';
import { ApolloGateway } from '@apollo/gateway';
import { callerCredentials } from '../subgraphs/shared/auth.js';
import type { Logger } from '../subgraphs/shared/logger.js';
import type { RouterConfig } from './config.js';
import { SubgraphDataSource } from './subgraph-data-source.js';

/**
 * Federates queries and mutations over the subgraphs that the supergraph names.
 *
 * @returns with it the subgraphs as it asks them, once it is loaded, and where each is
 */
export function createGateway(config: RouterConfig, logger: Logger) {
  const credentials = callerCredentials('router', config.ROUTER_SECRET);
  const services = new Map<string, SubgraphDataSource>();
  const urls = new Map<string, string>();
  const sources: SubgraphDataSource[] = [];
  const gateway = new ApolloGateway({
    supergraphSdl: readFileSync(config.SUPERGRAPH_PATH, 'utf8'),
    logger,
    buildService({ name, url }) {
      const given = config[`SUBGRAPH_URL_${name.toUpperCase()}` as keyof RouterConfig];
      const address = (given as string) || (url as string);
      const source = new SubgraphDataSource(name, address, credentials, logger);
      services.set(name, source);
      urls.set(name, address);
      sources.push(source);
      return source;
    },
  });
  const closeSources = () => Promise.all(sources.map((source) => source.close()));
  return { gateway, services, urls, closeSources };
}
