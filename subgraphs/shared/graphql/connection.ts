import { type ClassType, Directive, Field, ObjectType } from 'type-graphql';
import { badInput } from '../errors.js';
import { Allow } from '../rights/rights.js';

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

const pageMax = 100;

/** Declares `NameConnection` and `NameEdge` for a type. */
export function connectionOf<T extends object>(type: ClassType<T>, name: string) {
  @Allow('parent')
  @ObjectType(`${name}Edge`, { description: `Entry of a ${name}Connection.` })
  class EdgeType implements Edge<T> {
    @Field(() => String, { description: 'Cursor of this entry.' })
    cursor!: string;

    @Field(() => type, { description: 'The entry.' })
    node!: T;
  }
  @Allow('parent')
  @ObjectType(`${name}Connection`, { description: `Page of a list of ${name}.` })
  class ConnectionType implements Connection<T> {
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

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @throws `BAD_USER_INPUT` for a size outside 1 to 100, or an invalid cursor */
export function pageRequest(first: number, after: string | null | undefined): PageRequest {
  if (first < 1 || first > pageMax) {
    throw badInput({ first: `must be between 1 and ${pageMax}, not ${first}` });
  }
  if (after === null || after === undefined) return { first, afterId: null };
  const afterId = Buffer.from(after, 'base64url').toString('utf8');
  if (!uuidPattern.test(afterId)) throw badInput({ after: 'is not a cursor of this list' });
  return { first, afterId };
}

const cursorOf = (id: string) => Buffer.from(id).toString('base64url');

/** @param rows up to `first + 1` of them: the extra one shows that there is a next page */
export function toConnection<T extends { id: string }>(rows: T[], first: number): Connection<T> {
  const edges = rows.slice(0, first).map((node) => ({ cursor: cursorOf(node.id), node }));
  return {
    edges,
    pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
}
