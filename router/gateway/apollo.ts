import { ApolloServer, type ApolloServerPlugin, type BaseContext } from '@apollo/server';
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
import { operationClassPlugin } from '../admission/operation-class.js';
import type { RouterConfig } from '../config.js';
import type { RouterContext } from '../context.js';
import { stringifyResponse } from '../execution/passed-text.js';
import { examplesDocument } from '../explorer/examples.js';
import { loginLimitPlugin } from '../limits/login-limits.js';
import { costLimitPlugin, onlyLimitErrors, queryLimitRules } from '../limits/query-limits.js';
import type { ConsumeLimit } from '../limits/rate-limits.js';
import type { KnownOperation } from '../operations/known-operations.js';
import { subscriptionPlugin } from '../subscriptions/transport/accept.js';
import type { SupergraphFile } from '../supergraph/supergraph-file.js';
import { operationChecks } from './operation-checks.js';
import { nameOperations } from './router-metrics.js';

interface ApolloOptions {
  readonly config: RouterConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly gateway: NonNullable<ConstructorParameters<typeof ApolloServer>[0]['gateway']>;
  readonly supergraph: SupergraphFile;
  readonly consumeLimit: ConsumeLimit;
  readonly operations: readonly KnownOperation[];
  readonly formatError: ReturnType<typeof errorFormat>;
}

/** Formats errors for clients: masked, with the request id, without names of a hidden schema. */
export function errorFormat(config: RouterConfig, logger: Logger) {
  const format = addRequestId(maskErrors(logger));
  return config.INTROSPECTION ? format : hideSuggestions(format);
}

const acceptsJsonOnly = (accept: string) =>
  accept.includes('application/json') && !accept.includes('application/graphql-response+json');

// Errors of parsing, validation and variables in GraphQL over HTTP.
const requestErrorCodes = ['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT'];

/**
 * A client that accepts `application/json` but not `application/graphql-response+json` gets status 200
 * for an invalid operation: it would not read `errors` of any other response.
 */
const jsonStatus: ApolloServerPlugin<BaseContext> = {
  async requestDidStart({ request }) {
    if (!acceptsJsonOnly(request.http?.headers.get('accept') ?? '')) return;
    return {
      async willSendResponse({ errors, response: { http } }) {
        const code = errors?.[0]?.extensions.code;
        if (http.status === 400 && requestErrorCodes.includes(code as string)) http.status = 200;
      },
    };
  },
};

/** Parses, validates, limits and executes operations, with caches of documents and plans. */
export function createApollo(options: ApolloOptions) {
  const { config, logger, registry, gateway, supergraph } = options;
  const { consumeLimit, operations, formatError } = options;
  return new ApolloServer<RouterContext>({
    gateway,
    introspection: config.INTROSPECTION,
    hideSchemaDetailsFromClientErrors: !config.INTROSPECTION,
    formatError,
    stringifyResult: stringifyResponse,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    parseOptions: { maxTokens: config.QUERY_TOKENS_MAX },
    validationRules: queryLimitRules(config),
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger,
    plugins: [
      // It wraps the resolver of each field to compute how long a response may be cached.
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
      onlyLimitErrors,
      operationChecks,
      operationClassPlugin([
        costLimitPlugin(config, () => supergraph.lengths()),
        loginLimitPlugin(consumeLimit, config.ROUTER_SECRET),
      ]),
      subscriptionPlugin,
      jsonStatus,
    ],
  });
}
