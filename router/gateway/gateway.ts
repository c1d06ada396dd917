import { ApolloGateway } from '@apollo/gateway';
import { callerCredentials } from '../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { gaugeOf, type Registry } from '../../subgraphs/shared/observability/metrics.js';
import { runningMax } from '../admission/admission.js';
import type { RouterConfig } from '../config.js';
import type { Services } from '../execution/run.js';
import { SingleFlight } from '../subgraphs/single-flight.js';
import { readAddresses } from '../subgraphs/subgraph-addresses.js';
import { type Purpose, SubgraphDataSource } from '../subgraphs/subgraph-data-source.js';
import { watchSubgraphs } from '../subgraphs/subgraph-health.js';
import { SubgraphSources } from '../subgraphs/subgraph-sources.js';
import { openSupergraphFile } from '../supergraph/supergraph-file.js';
import { subgraphsOf } from '../supergraph/supergraph-sdl.js';
import { withCompiledExecutor } from './compiled-gateway.js';
import { withErrorPaths } from './partial-answers.js';
import { createSubgraphTimer } from './router-metrics.js';

// One hung subgraph must not occupy all completions for as long as a checkout may take.
const eventTimeoutMs = 10_000;

/**
 * Federates queries and mutations over the subgraphs of the supergraph.
 *
 * @param env may override the address of a subgraph by `SUBGRAPH_URL_` and its name
 * @throws ConfigError for a malformed address
 */
export function createGateway(
  config: RouterConfig,
  env: NodeJS.ProcessEnv,
  logger: Logger,
  registry: Registry,
) {
  const withTiming = createSubgraphTimer(registry);
  const credentials = callerCredentials('router', config.ROUTER_SECRET);
  const connectionsMax = runningMax(config.OPERATIONS_MAX);
  const singleFlight = new SingleFlight<string>();
  const addressOf = readAddresses(env);
  const sources = new SubgraphSources(config.OPERATION_TIMEOUT_MS);
  const requireAddresses = (supergraphSdl: string) => {
    for (const [name, composed] of subgraphsOf(supergraphSdl)) addressOf(name, composed);
  };
  const supergraph = openSupergraphFile(config.SUPERGRAPH_PATH, requireAddresses, logger);
  const gateway = new ApolloGateway({
    supergraphSdl: supergraph.hook,
    logger,
    buildService({ name, url: composed = '' }) {
      const url = addressOf(name, composed);
      const onAnswer = () => health.answered(name);
      const settings = { name, url, credentials, connectionsMax, singleFlight, logger, onAnswer };
      const open = (purpose: Purpose, timeoutMs: number) => {
        const source = new SubgraphDataSource({ ...settings, purpose, timeoutMs });
        return { source, service: withTiming(name, purpose, source) };
      };
      const operations = open('operations', config.SUBGRAPH_TIMEOUT_MS);
      const events = open('events', Math.min(config.SUBGRAPH_TIMEOUT_MS, eventTimeoutMs));
      const service = sources.add(name, {
        url,
        service: operations.service,
        eventService: events.service,
        sources: [operations.source, events.source],
      });
      return withErrorPaths(service);
    },
  });
  gateway.onSchemaLoadOrUpdate(({ coreSupergraphSdl }) => {
    sources.use(subgraphsOf(coreSupergraphSdl).keys());
  });
  const executing = withCompiledExecutor({
    gateway,
    registry,
    services: () => sources.services,
    supergraph,
  });
  const health = watchSubgraphs(sources.urls, credentials, logger);
  const up = {
    name: 'holdfast_subgraph_up',
    help: '1 if a subgraph answered the last ping, else 0.',
    label: 'subgraph',
  };
  gaugeOf(registry, up, health.state);
  return {
    gateway,
    /** the gateway as Apollo Server uses it */
    executing,
    supergraph,
    health,
    /** the subgraphs for the fields of events, once the gateway is loaded */
    eventServices: sources.eventServices as Services,
    /** the addresses of the subgraphs, once the gateway is loaded */
    urls: sources.urls as ReadonlyMap<string, string>,
    closeSources: () => sources.close(),
  };
}
