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

/** All combinations of the arguments of a list beside the page, each with each of its values, or left out. */
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
    samplesOf(list, field, world).map((value) => ({ [field]: value })),
  );
  return [...each, Object.assign({}, ...each)];
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

/** The statements of the first two pages of a list; none if the user may not see it. */
export async function readList(
  { name, field }: ListField,
  args: Arguments,
  world: World,
  token: string | undefined,
): Promise<SentStatement[]> {
  const isPaged = field.args.some((arg) => arg.name === 'after');
  const selection = isPaged ? 'pageInfo { endCursor }' : '__typename';
  const read = async (page: Arguments) => {
    const request = await requestFor(name, api, world, { args: page, selection });
    return recordRequest(() => world.system.graphql(request.query, request.variables, token));
  };
  const { reply, statements } = await read(args);
  if (reply.errors) return [];
  const cursor = /"endCursor":"([^"]+)"/.exec(JSON.stringify(reply.data))?.[1];
  if (!cursor) return statements;
  return [...statements, ...(await read({ ...args, after: cursor })).statements];
}
