import { ArgsType, type ClassType, Directive, Field, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { Allow } from '../rights/rights.js';
import { cursorOf, readCursor } from './cursor.js';

@Directive('@shareable')
@Allow('parent')
@ObjectType({ description: 'Where a page stands in its list (Relay cursor connections).' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there is more behind this page.' })
  hasNextPage!: boolean;

  @Field(() => String, { nullable: true, description: 'The `after` of the next page.' })
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

const pageMax = 100;

/** Declares `NameConnection` and `NameEdge` for a type. */
export function connectionOf<T extends object>(type: ClassType<T>, name: string) {
  @Allow('parent')
  @ObjectType(`${name}Edge`, { description: `One entry of a ${name}Connection.` })
  class EdgeType implements Edge<T> {
    @Field(() => String, { description: 'The place of this entry in the list.' })
    cursor!: string;

    @Field(() => type, { description: 'The entry itself.' })
    node!: T;
  }
  @Allow('parent')
  @ObjectType(`${name}Connection`, { description: `A page of a list of ${name}.` })
  class ConnectionType implements Connection<T> {
    @Field(() => [EdgeType], { description: 'The entries of this page, in order.' })
    edges!: EdgeType[];

    @Field(() => PageInfo, { description: 'Where this page stands in the list.' })
    pageInfo!: PageInfo;
  }
  return ConnectionType;
}

/** A page as it was asked for: how many, and the id behind which it begins. */
export interface PageRequest {
  readonly first: number;
  readonly afterId: string | null;
}

const idPlace = z.tuple([z.guid()]);

/** @throws `BAD_USER_INPUT` for a size outside 1 to 100 and for a cursor that is none of ours */
export function pageRequest(first: number, after: string | null | undefined): PageRequest {
  if (first < 1 || first > pageMax) {
    throw badInput({ first: `must be between 1 and ${pageMax}, not ${first}` });
  }
  return { first, afterId: readCursor(after, idPlace)?.[0] ?? null };
}

/** @param rows up to `first + 1` of them: the one too many tells that there is a next page */
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
