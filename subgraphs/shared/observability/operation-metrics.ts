import type {
  ApolloServerPlugin,
  BaseContext,
  GraphQLRequestContextWillSendResponse,
} from '@apollo/server';
import {
  type FieldNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getNamedType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { Counter, Histogram, type Registry } from './metrics.js';
import { requestTrace } from './request-context.js';
import { telemetry } from './telemetry/telemetry.js';

export const operationSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The label of an operation: one of a bounded set, whatever clients send. */
export type NameOperation = (operation: OperationDefinitionNode) => string;

const errorsName = 'holdfast_graphql_errors_total';
const errorLabels = ['operation', 'code'] as const;
type ErrorCounter = Counter<(typeof errorLabels)[number]>;

/** The counter of errors in responses; one for each registry. */
export function errorCounter(registry: Registry): ErrorCounter {
  const known = registry.getSingleMetric(errorsName) as ErrorCounter | undefined;
  if (known) return known;
  return new Counter({
    name: errorsName,
    help: 'Errors in responses, by code.',
    labelNames: errorLabels,
    registers: [registry],
  });
}

/** Measures number, duration and errors of operations. */
export function operationMetrics<C extends BaseContext>(
  registry: Registry,
  nameOf: NameOperation,
): ApolloServerPlugin<C> {
  const time = new Histogram({
    name: 'holdfast_graphql_operation_seconds',
    help: 'Duration of operations, from the parsed request to the response.',
    labelNames: ['operation', 'type'],
    buckets: operationSeconds,
    registers: [registry],
  });
  const errors = errorCounter(registry);
  return {
    async requestDidStart() {
      const startedAt = performance.now();
      return {
        async didResolveOperation({ operation }) {
          if (operation) telemetry()?.nameOperation(operation);
        },
        async willSendResponse({ operation: node, response }) {
          const operation = node ? nameOf(node) : 'invalid';
          const type = node?.operation ?? 'invalid';
          time.observe({ operation, type }, (performance.now() - startedAt) / 1000);
          if (response.body.kind !== 'single') return;
          for (const error of response.body.singleResult.errors ?? []) {
            const code = codeOf(error);
            errors.inc({ operation, code });
            noteError(code);
          }
        },
      };
    },
  };
}

/** For the log of the request. */
function noteError(code: string): void {
  const trace = requestTrace.getStore();
  if (!trace) return;
  trace.errorCodes ??= [];
  if (!trace.errorCodes.includes(code)) trace.errorCodes.push(code);
}

/** Counts the results of mutations that return a union: the type, or the code of the error. */
export function resultMetrics<C extends BaseContext>(registry: Registry): ApolloServerPlugin<C> {
  const results = new Counter({
    name: 'holdfast_mutation_results_total',
    help: 'Results of mutations that return a union: the type, or the code of the error.',
    labelNames: ['mutation', 'result'],
    registers: [registry],
  });
  return {
    async requestDidStart() {
      return {
        async willSendResponse(context) {
          if (context.operation?.operation !== 'mutation') return;
          for (const [mutation, result] of resultsOf(context)) results.inc({ mutation, result });
        },
      };
    },
  };
}

function resultsOf<C extends BaseContext>(
  context: GraphQLRequestContextWillSendResponse<C>,
): [string, string][] {
  const { operation, schema, response } = context;
  if (!operation || response.body.kind !== 'single') return [];
  const { data, errors } = response.body.singleResult;
  const fields = operation.selectionSet.selections.filter(({ kind }) => kind === Kind.FIELD);
  return (fields as FieldNode[])
    .filter((field) => isRefusable(schema, field.name.value))
    .map((field) => {
      const key = field.alias?.value ?? field.name.value;
      const value = data?.[key] as { __typename?: string } | null | undefined;
      const error = errors?.find(({ path }) => path?.[0] === key) ?? errors?.[0];
      const result = value ? (value.__typename ?? 'unknown') : error ? codeOf(error) : 'null';
      return [field.name.value, result];
    });
}

function isRefusable(schema: GraphQLSchema, mutation: string): boolean {
  const field = schema.getMutationType()?.getFields()[mutation];
  return field !== undefined && isUnionType(getNamedType(field.type));
}

const codeOf = ({ extensions }: GraphQLFormattedError) => String(extensions?.code ?? 'none');

/** The name of a subgraph's operation: its first field, and for `_entities` their type. */
export function firstFieldOf({ selectionSet }: OperationDefinitionNode): string {
  const first = selectionSet.selections.find((each) => each.kind === Kind.FIELD);
  if (!first) return 'fragment';
  if (first.name.value !== '_entities') return first.name.value;
  const ofType = first.selectionSet?.selections.find((each) => each.kind === Kind.INLINE_FRAGMENT);
  return ofType?.typeCondition ? `_entities ${ofType.typeCondition.name.value}` : '_entities';
}
