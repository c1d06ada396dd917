import { buildSubgraphSchema } from '@apollo/subgraph';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import type { ValidationError } from 'class-validator';
import { validate } from 'class-validator';
import { type GraphQLSchema, parse } from 'graphql';
import {
  buildSchema,
  createResolversMap,
  Extensions,
  type NonEmptyArray,
  type PubSub,
} from 'type-graphql';
import { badInput } from '../errors.js';
import { checkRules, readRights } from '../rights/rights.js';
import { type EntityResolvers, resolveEntitiesTogether } from './entities.js';
import { enforceListLengths } from './list-max.js';
import { DateTime } from './scalars.js';
import { resolvesWithoutArguments } from './subscribe.js';
import { composeTexts } from './validation.js';

const federation = `extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@key", "@shareable", "@external", "@requires", "@provides", "@inaccessible"]
)`;

export interface SchemaSource extends EntityResolvers {
  // biome-ignore lint/complexity/noBannedTypes: type-graphql takes resolver classes as Function
  readonly resolvers: NonEmptyArray<Function>;
  /** types that no field of this subgraph reaches */
  // biome-ignore lint/complexity/noBannedTypes: as above
  readonly orphanedTypes?: Function[];
}

/**
 * Marks a subscription whose first events are the current state. A later subscriber may receive the latest
 * event of each entity instead, so that all subscribers to the same share one upstream subscription.
 *
 * @param versionField the field of its type that rises with each change of an entity
 */
export const BeginsWithSnapshot = (versionField?: string) =>
  Extensions({ beginsWithSnapshot: true, ...(versionField && { versionField }) });

/** Marks a subscription whose arguments only choose the events: its resolver does not read them, nor does its rule. */
export const ResolvesWithoutArguments = () => Extensions({ [resolvesWithoutArguments]: true });

// type-graphql requires a PubSub if there are subscriptions; ours have their own event sources.
const noPubSub: PubSub = {
  publish: () => {},
  subscribe: () => {
    throw new Error('Every subscription must have its own subscribe function.');
  },
};

/**
 * The schema as the classes declare it: with the access rules of its fields and the lengths of its lists,
 * without `_entities`.
 *
 * @throws Error naming the fields whose rules are missing or conflict, and lists without a greatest length
 */
export async function buildPlainSchema(source: SchemaSource): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers: source.resolvers,
    orphanedTypes: source.orphanedTypes ?? [],
    authChecker: checkRules,
    scalarsMap: [{ type: Date, scalar: DateTime }],
    validateFn: validateInput,
    pubSub: noPubSub,
  });
  readRights(schema);
  enforceListLengths(schema);
  return schema;
}

const sdlOf = (built: GraphQLSchema) => `${federation}\n\n${printSchemaWithDirectives(built)}\n`;

/** The SDL of a schema that `buildPlainSchema` made, for composition. */
export const printFederatedSdl = sdlOf;

/** The executable schema of a subgraph, with `_service` and `_entities`. */
export async function buildFederatedSchema(source: SchemaSource): Promise<GraphQLSchema> {
  const built = await buildPlainSchema(source);
  const typeDefs = parse(sdlOf(built));
  const schema = buildSubgraphSchema([{ typeDefs, resolvers: createResolversMap(built) as never }]);
  resolveEntitiesTogether(schema, source);
  keepSubscriptionExtensions(built, schema);
  return schema;
}

/** The federated schema is built from SDL, which has none. */
function keepSubscriptionExtensions(built: GraphQLSchema, schema: GraphQLSchema): void {
  const declared = built.getSubscriptionType()?.getFields() ?? {};
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    field.extensions = { ...declared[field.name]?.extensions };
  }
}

/**
 * Composes the texts of an input. Reports violations of class-validator, and text that PostgreSQL cannot store, as
 * `BAD_USER_INPUT`.
 */
function validateInput(value: unknown): void | Promise<void> {
  composeTexts(value);
  const fields: Record<string, string> = {};
  collectBadText('input', value, fields);
  refuse(fields); // the rules below may fail on such text
  // A promise for each argument of each row would be most of the cost of the arguments of a list.
  if (typeof value === 'object' && value !== null) return validateRules(value);
}

async function validateRules(value: object): Promise<void> {
  const fields: Record<string, string> = {};
  for (const item of Array.isArray(value) ? value : [value]) {
    if (item === null || typeof item !== 'object') continue;
    collect('input', await validate(item, { forbidUnknownValues: false }), fields);
  }
  refuse(fields);
}

function refuse(fields: Record<string, string>): void {
  if (Object.keys(fields).length > 0) throw badInput(fields);
}

/** PostgreSQL cannot store NUL, nor half of a surrogate pair. */
function collectBadText(path: string, value: unknown, fields: Record<string, string>): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) fields[path] = 'must not contain a NUL character';
    else if (!value.isWellFormed()) fields[path] = 'must be well-formed Unicode';
  } else if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) collectBadText(`${path}[${at}]`, item, fields);
  } else if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    for (const [name, item] of Object.entries(value)) {
      collectBadText(`${path}.${name}`, item, fields);
    }
  }
}

function collect(path: string, errors: ValidationError[], fields: Record<string, string>): void {
  for (const error of errors) {
    const here = /^\d+$/.test(error.property)
      ? `${path}[${error.property}]`
      : `${path}.${error.property}`;
    const reasons = Object.values(error.constraints ?? {});
    if (reasons.length > 0) fields[here] = reasons.join('; ');
    collect(here, error.children ?? [], fields);
  }
}
