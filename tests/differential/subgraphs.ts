import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isAbstractType,
  isObjectType,
  parse,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { bodyOf, type SubgraphService } from '../../router/subgraphs/subgraph-service.js';
import { rootOf, type Thing, type World } from './world.js';

export const schemaOf = (document: DocumentNode): GraphQLSchema => buildSubgraphSchema(document);

/** Resolves all fields of a schema from the data of a world. */
export function resolveFrom(world: World, schema: GraphQLSchema): void {
  const resolve: GraphQLFieldResolver<Thing, unknown> = (source, args, _, { fieldName }) =>
    world.field(source, fieldName, args);
  const roots = new Set([schema.getQueryType(), schema.getMutationType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type)) type.resolveType = (thing: Thing) => world.typeIn(schema, thing);
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('_')) continue;
      const root = rootOf(type.name);
      field.resolve = roots.has(type)
        ? (_, args, context, info) => resolve(root, args, context, info)
        : resolve;
    }
  }
  const entities = schema.getQueryType()?.getFields()._entities;
  if (!entities) return;
  entities.resolve = (_, { representations }) =>
    representations.map((each: Record<string, unknown>) => world.entityOf(each));
}

/** A subgraph in this process, which answers as one over HTTP does. */
export function serviceOf(schema: GraphQLSchema): SubgraphService {
  const documents = new LRUCache<string, DocumentNode>({ max: 500 });
  const answer = (body: string): ExecutionResult => {
    const { query, variables, operationName } = JSON.parse(body);
    const document = documents.get(query) ?? parse(query);
    documents.set(query, document);
    const result = execute({ schema, document, variableValues: variables, operationName });
    return withCodes(result as ExecutionResult);
  };
  return {
    async fetch(request) {
      const result = answer(bodyOf(request));
      if (request.acceptsText && !result.errors) return { text: JSON.stringify(result) };
      return JSON.parse(JSON.stringify(result));
    },
    async process({ request }) {
      return JSON.parse(JSON.stringify(answer(JSON.stringify(request))));
    },
  };
}

/** As Apollo Server formats errors. */
export function withCodes({ data, errors }: ExecutionResult): ExecutionResult {
  if (!errors) return { data: data ?? null };
  const formatted = errors.map(({ message, path, extensions }) => ({
    message,
    path,
    extensions: { code: 'INTERNAL_SERVER_ERROR', ...extensions },
  }));
  return { errors: formatted as never, data: data ?? null };
}
