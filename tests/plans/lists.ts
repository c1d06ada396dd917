import {
  type GraphQLArgument,
  type GraphQLField,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { recordRequest, type SentStatement } from '../harness/request-statements.js';
import { api } from '../rights/graph.js';
import { requestFor } from '../rights/requests.js';
import type { Arguments } from '../rights/samples.js';
import type { World } from '../rights/world.js';
import { searches } from './columns.js';

export interface ListField {
  /** `Type.field` */
  readonly name: string;
  readonly field: GraphQLField<unknown, unknown>;
}

const isConnection = ({ field }: ListField) => getNamedType(field.type).name.endsWith('Connection');
const isFiltered = ({ field }: ListField) =>
  String(field.type).startsWith('[') && field.args.length > 0;

/** Every connection of the public API, and every other list with arguments. */
export const lists: readonly ListField[] = Object.values(api.getTypeMap())
  .filter(isObjectType)
  .filter(({ name }) => !name.startsWith('__'))
  .flatMap((type) =>
    Object.values(type.getFields()).map((field) => ({ name: `${type.name}.${field.name}`, field })),
  )
  .filter((list) => isConnection(list) || isFiltered(list));

/**
 * All combinations of the arguments of a list beside the page, each with each of its values, or left out. Of an input
 * object: each field alone, all pairs of fields, and all fields together.
 */
export const argumentsOf = ({ name, field }: ListField, world: World): Arguments[] =>
  field.args
    .filter((arg) => arg.name !== 'first' && arg.name !== 'after')
    .reduce<Arguments[]>(
      (found, arg) =>
        found.flatMap((args) => {
          const given = valuesOf(name, arg, world).map((value) => ({ ...args, [arg.name]: value }));
          return isRequiredArgument(arg) ? given : [args, ...given];
        }),
      [{}],
    );

function valuesOf(list: string, { name, type }: GraphQLArgument, world: World): readonly unknown[] {
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues().map((value) => value.name);
  if (!isInputObjectType(named)) return samplesOf(list, name, world);
  const fields = Object.keys(named.getFields());
  const each = fields.flatMap((field) =>
    samplesOf(list, field, world).map((value) => ({ field, value })),
  );
  const all = each.map(({ field, value }) => ({ [field]: value }));
  const pairs = each.flatMap((one, at) =>
    each
      .slice(at + 1)
      .filter(({ field }) => field !== one.field)
      .map((other) => ({ [one.field]: one.value, [other.field]: other.value })),
  );
  return [...all, ...pairs, Object.assign({}, ...all), Object.assign({}, ...all.toReversed())];
}

function samplesOf(list: string, name: string, world: World): readonly unknown[] {
  const samples: Readonly<Record<string, readonly unknown[] | undefined>> = {
    search: searches[list],
    sku: [world.sku],
    shopId: [world.shopId],
    categoryId: [world.categoryId],
    lowOnly: [true],
    minPrice: ['10.00'],
    maxPrice: ['20.00'],
    currencyCode: ['USD'],
    inStock: [true, false],
  };
  const found = samples[name];
  if (!found) throw new Error(`tests/plans/lists.ts has no sample for ${name} of ${list}`);
  return found;
}

interface ListReply {
  readonly statements: readonly SentStatement[];
  /** the code of the error, if the user may not see the list */
  readonly refusal: string | null;
  /** of the first page, if there is a second one */
  readonly cursor: string | null;
}

/** The statements of one page of a list, with the number of all rows if the list has it. */
export async function readList(
  { name, field }: ListField,
  args: Arguments,
  world: World,
  token: string | undefined,
): Promise<ListReply> {
  const isPaged = field.args.some((arg) => arg.name === 'after');
  const type = getNamedType(field.type);
  const isCounted = isObjectType(type) && 'totalCount' in type.getFields();
  const selection = isPaged
    ? `pageInfo { endCursor } ${isCounted ? 'totalCount' : ''}`
    : '__typename';
  const request = await requestFor(name, api, world, { args, selection });
  const { reply, statements } = await recordRequest(() =>
    world.system.graphql(request.query, request.variables, token),
  );
  const refusal = reply.errors ? String(reply.errors[0]?.extensions?.code) : null;
  const cursor = /"endCursor":"([^"]+)"/.exec(JSON.stringify(reply.data))?.[1] ?? null;
  return { statements, refusal, cursor };
}
