import type { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import {
  addRequestId,
  hideSuggestions,
  maskErrors,
} from '../../subgraphs/shared/graphql/error-format.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import type { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { operationMetrics } from '../../subgraphs/shared/observability/operation-metrics.js';
import type { RouterConfig } from '../config.js';
import { examplesDocument } from '../explorer/examples.js';
import { loginLimitPlugin } from '../limits/login-limits.js';
import { costLimitPlugin, queryLimitRules } from '../limits/query-limits.js';
import type { CountAgainst } from '../limits/rate-limits.js';
import type { KnownOperation } from '../operations/known-operations.js';
import { nameOperations } from '../operations/operation-names.js';
import type { RouterContext } from '../subgraphs/subgraph-data-source.js';
import { subscriptionPlugin } from '../subscriptions/transport/accept.js';
import { jsonStatus } from './json-status.js';
import { operationChecks } from './operation-checks.js';

interface Parts {
  readonly config: RouterConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly gateway: ApolloGateway;
  readonly count: CountAgainst;
  readonly operations: readonly KnownOperation[];
  readonly formatError: ReturnType<typeof errorFormat>;
}

/** How errors are shown to clients: masked, with the request's id, without names of a hidden schema. */
export function errorFormat(config: RouterConfig, logger: Logger) {
  const format = addRequestId(maskErrors(logger));
  return config.INTROSPECTION ? format : hideSuggestions(format);
}

/** Parses, validates, limits and executes operations; documents and their plans are kept. */
export function createApollo(parts: Parts) {
  const { config, logger, registry, gateway, count, operations, formatError } = parts;
  return new ApolloServer<RouterContext>({
    gateway,
    introspection: config.INTROSPECTION,
    hideSchemaDetailsFromClientErrors: !config.INTROSPECTION,
    formatError,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    parseOptions: { maxTokens: config.QUERY_TOKENS_MAX },
    validationRules: queryLimitRules(config),
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger,
    plugins: [
      // It calls back for each field that is resolved, to work out how long an answer may be cached.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      config.INTROSPECTION
        ? ApolloServerPluginLandingPageLocalDefault({
            embed: { runTelemetry: false },
            includeCookies: false,
            ...examplesDocument(operations),
          })
        : ApolloServerPluginLandingPageDisabled(),
      operationMetrics(registry, nameOperations(operations.map(({ name }) => name))),
      operationChecks,
      costLimitPlugin(config),
      loginLimitPlugin(count, config.ROUTER_SECRET),
      subscriptionPlugin,
      jsonStatus,
    ],
  });
}
