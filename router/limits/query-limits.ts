import type { ApolloServerPlugin } from '@apollo/server';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type ASTVisitor,
  type FieldNode,
  GraphQLError,
  Kind,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import type { RouterContext } from '../context.js';
import { badOperation, withRateLimitStatus } from '../errors.js';
import { responseKey, variableValues } from '../graphql-ast.js';
import type { ListLengths } from '../supergraph/list-lengths.js';
import { createCachedCost } from './cached-cost.js';
import { costOfPoint } from './rate-limits.js';

/** Limits of one operation: the variables `QUERY_…` of the router's configuration. */
export interface QueryLimits {
  readonly QUERY_DEPTH_MAX: number;
  readonly QUERY_ALIASES_MAX: number;
  readonly QUERY_DIRECTIVES_MAX: number;
  readonly QUERY_COST_MAX: number;
}

const limitErrors = new WeakSet<GraphQLError>();

function reportLimit(context: ValidationContext | null, message: string): void {
  const error = new GraphQLError(message);
  limitErrors.add(error);
  context?.reportError(error);
}

/** How graphql-armor reports: by default it throws, which Apollo Server answers with 500. */
const reportOptions = {
  propagateOnRejection: false,
  onReject: [
    (context: ValidationContext | null, { message }: GraphQLError) =>
      reportLimit(context, message.replace(/^Syntax Error: /, '')),
  ],
};

/** An operation over a limit is answered with that error alone, however many others it has. */
export const onlyLimitErrors: ApolloServerPlugin<RouterContext> = {
  async requestDidStart() {
    return {
      async validationDidStart() {
        return async (errors) => {
          const overLimit = errors?.find((error) => limitErrors.has(error as GraphQLError));
          if (overLimit) (errors as Error[]).splice(0, Number.POSITIVE_INFINITY, overLimit);
        };
      },
    };
  },
};

/**
 * Validation rules that refuse an operation that is too deep, has too many aliases, repeated fields or
 * directives, or has values that are too deep.
 */
export function queryLimitRules(limits: QueryLimits): ValidationRule[] {
  return [
    maxDepthRule({ n: limits.QUERY_DEPTH_MAX, flattenFragments: true, ...reportOptions }),
    maxAliasesRule({ n: limits.QUERY_ALIASES_MAX, allowList: [], ...reportOptions }),
    maxDirectivesRule({ n: limits.QUERY_DIRECTIVES_MAX, ...reportOptions }),
    (context) => repeatedFieldsRule(context, limits.QUERY_ALIASES_MAX),
    (context) => valueDepthRule(context, limits.QUERY_DEPTH_MAX),
  ];
}

/** A field that stands in a selection again is merged with the first: it only costs validation and planning. */
function repeatedFieldsRule(context: ValidationContext, repeatedMax: number): ASTVisitor {
  let repeated = 0;
  return {
    SelectionSet({ selections }) {
      const fields = selections.filter(({ kind }) => kind === Kind.FIELD) as FieldNode[];
      const before = repeated;
      repeated += fields.length - new Set(fields.map(responseKey)).size;
      if (before > repeatedMax || repeated <= repeatedMax) return;
      reportLimit(context, `Repeated fields limit of ${repeatedMax} exceeded.`);
    },
  };
}

const valueTooDeep = (depthMax: number) => `Value depth limit of ${depthMax} exceeded.`;

/** The query planner's time doubles with each list around a value: thirty block it for minutes. */
function valueDepthRule(context: ValidationContext, depthMax: number): ASTVisitor {
  let depth = 0;
  const enter = (): false | undefined => {
    depth += 1;
    if (depth <= depthMax) return undefined;
    reportLimit(context, valueTooDeep(depthMax));
    depth -= 1;
    return false;
  };
  const leave = () => {
    depth -= 1;
  };
  return { ListValue: { enter, leave }, ObjectValue: { enter, leave } };
}

function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depthMax === 0 || Object.values(value).some((each) => isDeeperThan(each, depthMax - 1));
}

/**
 * Refuses variables that are too deep and operations that cost too much, and charges the cost of others. A
 * validation rule cannot: the size of a page is in the variables, or in the default of its argument.
 */
export function costLimitPlugin(
  limits: QueryLimits,
  lengthsNow: () => ListLengths,
): ApolloServerPlugin<RouterContext> {
  const costOf = createCachedCost(lengthsNow);
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (!operation) return;
          if (
            Object.values(request.variables ?? {}).some((each) =>
              isDeeperThan(each, limits.QUERY_DEPTH_MAX),
            )
          )
            throw asValidationError(valueTooDeep(limits.QUERY_DEPTH_MAX));
          const values = variableValues(schema, operation, request.variables);
          if (!values) return; // the execution refuses it
          const cost = costOf(schema, document, operation, values);
          if (cost > limits.QUERY_COST_MAX) {
            const max = `Query cost limit of ${limits.QUERY_COST_MAX} exceeded`;
            throw asValidationError(`${max}, found ${cost}.`);
          }
          contextValue.cost = cost;
          // A subscription is charged for its events later, but at least for being opened.
          const charged = operation.operation === 'subscription' ? costOfPoint : cost;
          await contextValue.charge?.(charged).catch((error) => {
            throw withRateLimitStatus(error);
          });
        },
      };
    },
  };
}

function asValidationError(message: string): GraphQLError {
  return badOperation('GRAPHQL_VALIDATION_FAILED', message);
}
