import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { callerCredentials } from '../subgraphs/shared/auth.js';
import type { Logger } from '../subgraphs/shared/logger.js';
import { gaugeOf, type Registry } from '../subgraphs/shared/metrics.js';
import type { RouterConfig } from './config.js';
import { InFlight } from './in-flight.js';
import { createPlanCache, createSubgraphTimer } from './router-metrics.js';
import { type RouterContext, SubgraphDataSource } from './subgraph-data-source.js';
import { watchSubgraphs } from './subgraph-health.js';
import { supergraphFrom } from './supergraph-file.js';

/**
 * Federates queries and mutations over the subgraphs that the supergraph names.
 *
 * @param env may say where a subgraph is, as `SUBGRAPH_URL_` and its name
 */
export function createGateway(
  config: RouterConfig,
  env: NodeJS.ProcessEnv,
  logger: Logger,
  registry: Registry,
) {
  const timed = createSubgraphTimer(registry);
  const credentials = callerCredentials('router', config.ROUTER_SECRET);
  const inFlight = new InFlight<string>();
  const sources: SubgraphDataSource[] = [];
  const services = new Map<string, GraphQLDataSource<RouterContext>>();
  const urls = new Map<string, string>();
  const gateway = new ApolloGateway({
    supergraphSdl: supergraphFrom(config.SUPERGRAPH_PATH, logger),
    logger,
    queryPlannerConfig: { cache: createPlanCache(registry) },
    buildService({ name, url: composed = '' }) {
      const url = env[addressVariable(name)] || composed;
      urls.set(name, url);
      const timeoutMs = config.SUBGRAPH_TIMEOUT_MS;
      const source = new SubgraphDataSource({
        name,
        url,
        credentials,
        timeoutMs,
        inFlight,
        logger,
      });
      sources.push(source);
      const service = timed(name, source);
      services.set(name, service);
      return service;
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
    /** the subgraphs as the gateway asks them, once it is loaded */
    services: services as ReadonlyMap<string, GraphQLDataSource<RouterContext>>,
    /** where each subgraph is, once the gateway is loaded */
    urls: urls as ReadonlyMap<string, string>,
    closeSources: () => Promise.all(sources.map((source) => source.close())),
  };
}

const addressVariable = (subgraph: string) =>
  `SUBGRAPH_URL_${subgraph.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
