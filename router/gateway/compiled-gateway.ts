import type { ApolloGateway } from '@apollo/gateway';
import type { ApolloServer } from '@apollo/server';
import type { ExecutionResult, GraphQLSchema, InlineFragmentNode } from 'graphql';
import { Counter, type Registry } from '../../subgraphs/shared/observability/metrics.js';
import type { RouterContext } from '../context.js';
import { createExecutor } from '../execution/executor.js';
import { planningOf } from '../execution/planning.js';
import type { Services } from '../execution/run.js';
import { selectsPublicOnly } from '../supergraph/supergraph-facts.js';
import type { SupergraphFile } from '../supergraph/supergraph-file.js';
import { createCompiledCache } from './router-metrics.js';

type Executor = ReturnType<typeof createExecutor>;
type GatewayInterface = NonNullable<ConstructorParameters<typeof ApolloServer>[0]['gateway']>;
type GatewayExecutor = NonNullable<Awaited<ReturnType<GatewayInterface['load']>>['executor']>;

interface CompiledGatewayOptions {
  readonly gateway: ApolloGateway;
  readonly registry: Registry;
  /** the subgraphs in use */
  readonly services: () => Services;
  readonly supergraph: SupergraphFile;
}

/**
 * `ApolloGateway` with our executor: it loads supergraphs and makes API schemas as before, and executes what the
 * compiled executor cannot.
 */
export function withCompiledExecutor(options: CompiledGatewayOptions): GatewayInterface {
  const { gateway, registry, supergraph } = options;
  const cache = createCompiledCache(registry);
  const fallbacks = new Counter({
    name: 'holdfast_executor_fallbacks_total',
    help: "Operations that Apollo's executor executed, by reason: introspection, defer, context, unknown.",
    labelNames: ['reason'],
    registers: [registry],
  });
  // Operations in flight end with the supergraph that they began with.
  const executors = new WeakMap<GraphQLSchema, Executor>();
  let use = () => {};
  gateway.onSchemaLoadOrUpdate(({ apiSchema: schema, coreSupergraphSdl }) => {
    const planning = planningOf(coreSupergraphSdl);
    const services = new Map(options.services());
    use = () => {
      const facts = supergraph.facts();
      const { errorsFirst } = facts;
      const isPublic = (fragment: InlineFragmentNode) =>
        selectsPublicOnly(planning.supergraphSchema, fragment, facts);
      const given = { planning, schema, services, errorsFirst, isPublic, cache: cache.next() };
      executors.set(schema, createExecutor(given));
    };
    use();
  });
  supergraph.onFacts(() => use());
  const keyOf = (queryHash: string, operationName: string | null | undefined) =>
    operationName ? `${queryHash} ${operationName}` : queryHash;

  return {
    async load(given) {
      const { executor: executeByApollo } = await gateway.load(given);
      const executor: GatewayExecutor = async (requestContext) => {
        const { schema, document, operation, queryHash, request, context } = requestContext;
        const execute = executors.get(schema);
        const outcome = await execute?.({
          key: keyOf(queryHash, request.operationName),
          document,
          definition: operation,
          variables: request.variables ?? {},
          context: context as RouterContext,
        });
        if (outcome && !('fallback' in outcome)) return outcome as ExecutionResult;
        fallbacks.inc({ reason: outcome?.fallback ?? 'unknown' });
        return executeByApollo(requestContext as never);
      };
      return { executor };
    },
    onSchemaLoadOrUpdate: (callback) => gateway.onSchemaLoadOrUpdate(callback as never),
    stop: () => gateway.stop(),
  };
}
