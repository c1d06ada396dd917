import { ArgsType, type ClassType, Directive, Field, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { Allow } from '../rights/rights.js';
import { cursorOf, readCursor } from './cursor.js';
import { ListMax } from './list-max.js';

/** Greatest size of a page. */
export const pageMax = 100;

@Directive('@shareable')
@Allow('parent')
@ObjectType({ description: 'Position of a page in its list, as in Relay cursor connections.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether the list continues after this page.' })
  hasNextPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor of the last entry: the `after` of the next page.',
  })
  endCursor!: string | null;
}

export interface Edge<T> {
  cursor: string;
  node: T;
}
export interface Connection<T> {
  edges: Edge<T>[];
  pageInfo: PageInfo;
}

/** The arguments of a list that is read in pages. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: 20, description: '1 to 100.' })
  first!: number;

  @Field(() => String, { nullable: true, description: 'An `endCursor`.' })
  after?: string | null;
}

/** Declares `NameConnection` and `NameEdge` for a type. */
export function connectionOf<T extends object>(type: ClassType<T>, name: string) {
  @Allow('parent')
  @ObjectType(`${name}Edge`, { description: `Entry of ${name}Connection.` })
  class EdgeType implements Edge<T> {
    @Field(() => String, { description: 'Cursor of this entry.' })
    cursor!: string;

    @Field(() => type, { description: 'The entry.' })
    node!: T;
  }
  @Allow('parent')
  @ObjectType(`${name}Connection`, { description: `Page of a list of ${name}.` })
  class ConnectionType implements Connection<T> {
    @ListMax(pageMax)
    @Field(() => [EdgeType], { description: 'Entries of this page, in order.' })
    edges!: EdgeType[];

    @Field(() => PageInfo, { description: 'Position of this page in the list.' })
    pageInfo!: PageInfo;
  }
  return ConnectionType;
}

/** A requested page: its size, and the id after which it begins. */
export interface PageRequest {
  readonly first: number;
  readonly afterId: string | null;
}

const idPlace = z.tuple([z.guid()]);

/** @throws `BAD_USER_INPUT` for a size outside 1 to 100, or an invalid cursor */
export const pageRequest = (first: number, after: string | null | undefined): PageRequest => {
  return { first: pageSize(first), afterId: readCursor(after, idPlace)?.[0] ?? null };
};

/** @throws `BAD_USER_INPUT` for a size outside 1 to 100 */
export function pageSize(first: number): number {
  if (first >= 1 && first <= pageMax) return first;
  throw badInput({ first: `must be between 1 and ${pageMax}, not ${first}` });
}

/** @param rows up to `first + 1` of them: the extra one shows that there is a next page */
export function toConnection<T extends { id: string }>(
  rows: readonly T[],
  first: number,
  placeOf: (row: T) => readonly unknown[] = ({ id }) => [id],
): Connection<T> {
  const edges = rows.slice(0, first).map((node) => ({ cursor: cursorOf(placeOf(node)), node }));
  return {
    edges,
    pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
}
