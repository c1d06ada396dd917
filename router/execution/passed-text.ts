import {
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { type Operation, operationOf } from './operation/operation-document.js';
import { hasConditions } from './operation/rewrite-aliases.js';
import { collectFields, nestedSets } from './projection/collect-fields.js';
import type { FetchNode } from './query-plan.js';

/**
 * Whether the response to a fetch is the response to the client: it selects the same fields in the same order, and
 * nothing that clients must not see can be in it. A subgraph has then checked all types and nulls.
 *
 * @param apiSchema what clients see; `supergraphSchema` has hidden types too
 */
export function isSameResponse(
  apiSchema: GraphQLSchema,
  supergraphSchema: GraphQLSchema,
  operation: Operation,
  fetch: FetchNode,
): boolean {
  if (fetch.outputRewrites?.length || hasConditions(operation)) return false;
  const document = parse(fetch.operation, { noLocation: true });
  const [definition] = document.definitions;
  if (definition?.kind !== 'OperationDefinition') return false;
  const fetched = operationOf(document, definition);
  const scopeOf = ({ fragments }: Operation) => ({
    schema: apiSchema,
    fragments,
    booleanOf: () => false,
  });
  const [ours, theirs] = [scopeOf(operation), scopeOf(fetched)];

  const isSame = (
    type: GraphQLCompositeType,
    ourSets: readonly SelectionSetNode[],
    theirSets: readonly SelectionSetNode[],
  ): boolean => {
    if (!isFullyVisible(type)) return false;
    const types = isAbstractType(type) ? apiSchema.getPossibleTypes(type) : [type];
    return types.every((each) => isSameFor(each as GraphQLObjectType, ourSets, theirSets));
  };
  const isSameFor = (
    type: GraphQLObjectType,
    ourSets: readonly SelectionSetNode[],
    theirSets: readonly SelectionSetNode[],
  ): boolean => {
    const wanted = [...collectFields(ours, type, ourSets)];
    const selected = [...collectFields(theirs, type, theirSets)];
    if (wanted.length !== selected.length) return false;
    return wanted.every(([key, nodes], n) => {
      const [theirKey, theirNodes] = selected[n] as (typeof selected)[number];
      const name = nodes[0]?.name.value as string;
      if (theirKey !== key || theirNodes[0]?.name.value !== name) return false;
      if (name === '__typename') return true;
      const definition = type.getFields()[name];
      if (!definition) return false;
      const inner = getNamedType(definition.type);
      if (isCompositeType(inner)) return isSame(inner, nestedSets(nodes), nestedSets(theirNodes));
      return isFullyVisible(inner);
    });
  };
  const isFullyVisible = (type: { readonly name: string }): boolean => {
    const [seen, actual] = [apiSchema.getType(type.name), supergraphSchema.getType(type.name)];
    if (isEnumType(seen) && isEnumType(actual)) {
      return seen.getValues().length === actual.getValues().length;
    }
    if (!isAbstractType(seen) || !isAbstractType(actual)) return true;
    const count = (schema: GraphQLSchema, abstract: typeof seen) =>
      schema.getPossibleTypes(abstract).length;
    return count(apiSchema, seen) === count(supergraphSchema, actual);
  };

  const root = apiSchema.getRootType(operation.definition.operation);
  if (!root) return false;
  return isSame(root, [operation.definition.selectionSet], [fetched.definition.selectionSet]);
}

const texts = new WeakMap<object, string>();

/** Data whose text is known. It is parsed only if somebody reads it. */
export function dataOfText(text: string): Record<string, unknown> {
  let parsed: Record<string, unknown> | undefined;
  const data = () => {
    parsed ??= JSON.parse(text).data as Record<string, unknown>;
    return parsed;
  };
  const proxy = new Proxy<Record<string, unknown>>(
    {},
    {
      get: (_, key) => Reflect.get(data(), key),
      has: (_, key) => Reflect.has(data(), key),
      ownKeys: () => Reflect.ownKeys(data()),
      getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(data(), key),
    },
  );
  texts.set(proxy, text);
  return proxy;
}

/** The text of a response whose data has one, if it has nothing else; otherwise its JSON. */
export function stringifyResponse(response: {
  readonly data?: unknown;
  readonly errors?: unknown;
  readonly extensions?: unknown;
}): string {
  const { data, errors, extensions } = response;
  const text = data && !errors && !extensions ? texts.get(data as object) : undefined;
  return text ?? `${JSON.stringify(response)}\n`;
}
