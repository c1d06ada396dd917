import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import { root, type SubgraphName, subgraphNames } from '../../ops/subgraph-names.js';
import { buildPlainSchema, type SchemaSource } from '../../subgraphs/shared/graphql/schema.js';
import { type Rule, readRights } from '../../subgraphs/shared/rights/rights.js';

export interface Subgraph {
  readonly name: SubgraphName;
  readonly schema: GraphQLSchema;
  /** `Type.field` → its rules */
  readonly rights: ReadonlyMap<string, readonly Rule[]>;
  /** the types that the router, and so any other subgraph, can query by key */
  readonly entities: readonly string[];
}

export const subgraphs: readonly Subgraph[] = await Promise.all(
  subgraphNames.map(async (name) => {
    const { subgraph } = await import(`../../subgraphs/${name}/index.js`);
    const source = subgraph.source as SchemaSource;
    const schema = await buildPlainSchema(source);
    return { name, schema, rights: readRights(schema), entities: Object.keys(source.references) };
  }),
);

/** The public API; `npm run check` ensures that it matches the subgraphs. */
export const api = buildSchema(readFileSync(join(root, 'schema', 'api.graphql'), 'utf8'));

export const splitName = (name: string) => name.split('.') as [type: string, field: string];

export function fieldOf(schema: GraphQLSchema, name: string) {
  const [typeName, fieldName] = splitName(name);
  const type = schema.getType(typeName);
  return isObjectType(type) ? type.getFields()[fieldName] : undefined;
}

/** The subgraph of a root field. */
export const subgraphOf = (name: string): SubgraphName =>
  subgraphs.find(({ rights }) => rights.has(name))?.name as SubgraphName;

/** The object types that a public field may return. */
export function typesBehind(name: string): string[] {
  const type = getNamedType(fieldOf(api, name)?.type as GraphQLOutputType);
  const types = isAbstractType(type) ? api.getPossibleTypes(type) : [type];
  return types.filter(isObjectType).map((each) => each.name);
}

/** Every field of the public API, with its rules, which are the same in all subgraphs. */
export const publicRules: ReadonlyMap<string, readonly Rule[]> = new Map(
  Object.values(api.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`))
    .map((name) => {
      const stated = subgraphs.flatMap(({ rights }) =>
        rights.has(name) ? [rights.get(name) as readonly Rule[]] : [],
      );
      const [first, ...others] = new Set(stated.map(String));
      if (others.length > 0) throw new Error(`${name} has different rules: ${first} and ${others}`);
      return [name, stated[0] as readonly Rule[]] as const;
    }),
);

/** The fields of subgraphs that are not in the public API, with their rules. */
export const internalFields = subgraphs.flatMap(({ name: subgraph, rights }) =>
  [...rights]
    .filter(([name]) => !publicRules.has(name))
    .map(([name, rules]) => ({ subgraph, name, rules })),
);
