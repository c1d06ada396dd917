import type { ApolloServerPlugin } from '@apollo/server';
import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type ASTVisitor,
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLSchema,
  getArgumentValues,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  ValidationContext,
  type ValidationRule,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { RouterContext } from '../context.js';
import { badOperation } from '../errors.js';
import { variableValues } from '../graphql-ast.js';
import { findListCycle } from './list-cycles.js';

/** Limits of one operation: the variables `QUERY_…` of the router's configuration. */
export interface QueryLimits {
  readonly QUERY_DEPTH_MAX: number;
  readonly QUERY_ALIASES_MAX: number;
  readonly QUERY_DIRECTIVES_MAX: number;
  readonly QUERY_COST_MAX: number;
}

/** How graphql-armor reports: by default it throws, which Apollo Server answers with 500. */
const reportOptions = {
  propagateOnRejection: false,
  onReject: [
    (context: ValidationContext | null, { message }: GraphQLError) =>
      context?.reportError(new GraphQLError(message.replace(/^Syntax Error: /, ''))),
  ],
};

/**
 * Validation rules that refuse an operation that is too deep, has too many aliases or directives, or has
 * values that are too deep.
 */
export function queryLimitRules(limits: QueryLimits): ValidationRule[] {
  return [
    maxDepthRule({ n: limits.QUERY_DEPTH_MAX, flattenFragments: true, ...reportOptions }),
    maxAliasesRule({ n: limits.QUERY_ALIASES_MAX, allowList: [], ...reportOptions }),
    maxDirectivesRule({ n: limits.QUERY_DIRECTIVES_MAX, ...reportOptions }),
    (context) => valueDepthRule(context, limits.QUERY_DEPTH_MAX),
  ];
}

const valueTooDeep = (depthMax: number) => `Value depth limit of ${depthMax} exceeded.`;

/** The query planner's time doubles with each list around a value: thirty block it for minutes. */
function valueDepthRule(context: ValidationContext, depthMax: number): ASTVisitor {
  let depth = 0;
  const enter = (): false | undefined => {
    depth += 1;
    if (depth <= depthMax) return undefined;
    context.reportError(new GraphQLError(valueTooDeep(depthMax)));
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
 * Refuses variables that are too deep and operations that cost too much. A validation rule cannot: the size
 * of a page is in the variables, or in the default of its argument.
 */
export function costLimitPlugin(limits: QueryLimits): ApolloServerPlugin<RouterContext> {
  const computePrice = createPricing(limits.QUERY_COST_MAX);
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
          const price = values && computePrice(schema, document, operation, values);
          if (price?.refusal) throw asValidationError(price.refusal);
          if (price) contextValue.cost = price.cost;
        },
      };
    },
  };
}

interface Price {
  readonly cost: number;
  /** why the operation is refused; '' if it is accepted */
  readonly refusal: string;
}

// Prices of one document, by its page sizes.
const cachedMax = 100;

/**
 * Computes the cost of a document once for each set of page sizes: clients repeat the same ones, and the
 * computation takes longer than all other work of the router for an operation.
 */
function createPricing(maxCost: number) {
  const caches = new WeakMap<DocumentNode, { sizes: string[]; prices: LRUCache<string, Price> }>();
  return (
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: Record<string, unknown>,
  ): Price => {
    let cache = caches.get(document);
    if (!cache) {
      cache = {
        sizes: sizeVariables(document),
        prices: new LRUCache({ max: cachedMax }),
      };
      caches.set(document, cache);
    }
    const key = JSON.stringify([
      document.definitions.indexOf(operation),
      ...cache.sizes.map((name) => values[name] ?? null),
    ]);
    const cached = cache.prices.get(key);
    if (cached) return cached;
    const price = priceOf(schema, document, operation, values, maxCost);
    cache.prices.set(key, price);
    return price;
  };
}

/** The variables that set page sizes. */
function sizeVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Argument({ name, value }) {
      if (name.value !== 'first') return;
      visit(value, { Variable: (variable) => void names.add(variable.name.value) });
    },
  });
  return [...names];
}

function priceOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  values: Record<string, unknown>,
  maxCost: number,
): Price {
  const priced = withPageSizes(schema, document, values);
  const chosen = priced.definitions[document.definitions.indexOf(operation)];
  const price = armorPrice(schema, priced, chosen, maxCost);
  if (price.refusal) return price;
  const cycle = findListCycle(schema, document, operation);
  const refusal = cycle ? `${cycle} is nested within itself. Request it only once.` : '';
  return { ...price, refusal };
}

function armorPrice(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: DefinitionNode | undefined,
  maxCost: number,
): Price {
  let price: Price = { cost: maxCost, refusal: '' };
  const context = new ValidationContext(schema, document, new TypeInfo(schema), ({ message }) => {
    price = { cost: maxCost, refusal: message };
  });
  const onAccept = [
    (_: unknown, { n: cost }: { n: number }) => {
      price = { cost, refusal: '' };
    },
  ];
  const options = { maxCost, flattenFragments: true, onAccept, ...reportOptions };
  const rule = costLimitRule(options)(context);
  rule.OperationDefinition?.enter?.(operation);
  return price;
}

/** The document with the number of each `first` written out. */
function withPageSizes(
  schema: GraphQLSchema,
  document: DocumentNode,
  values: Record<string, unknown>,
): DocumentNode {
  const types = new TypeInfo(schema);
  const writeOut = (node: FieldNode): FieldNode | undefined => {
    const field = types.getFieldDef();
    if (!field?.args.some((argument) => argument.name === 'first')) return undefined;
    const { first } = getArgumentValues(field, node, values);
    const value = { kind: Kind.INT, value: String(first ?? 1) } as const;
    const name = { kind: Kind.NAME, value: 'first' } as const;
    return { ...node, arguments: [{ kind: Kind.ARGUMENT, name, value }] };
  };
  return visit(document, visitWithTypeInfo(types, { Field: { enter: writeOut } }));
}

function asValidationError(message: string): GraphQLError {
  return badOperation('GRAPHQL_VALIDATION_FAILED', message);
}
