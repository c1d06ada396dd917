import type { EntityClass, EntityProperty } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { firstOfEach } from '../batching/first-of-each.js';
import { sql } from '../database/sql.js';
import {
  type Connection,
  type PageArgs,
  type PageRequest,
  pageRequest,
  toConnection,
} from './connection.js';
import type { BatchLoad } from './context.js';
import { requireRowsWithin, rowsMax } from './rows-max.js';

interface Reader {
  readonly em: EntityManager;
}

/** A page of the list of one parent. */
export interface PageOfParent extends PageRequest {
  readonly parentId: string;
  /** the shard key of the list, such as its shop; null or omitted if the parent itself is it */
  readonly shardId?: string | null;
}

interface ListSql {
  /**
   * SQL for the rows of the list of `parent.id`, in the shard of `parent.shard_id`, with a `where`; its
   * parameters begin at `$5`
   */
  readonly select: string;
  readonly values?: readonly unknown[];
}

interface PagesOptions<P, T> {
  /** of the ids, which is the order of time */
  readonly order: 'asc' | 'desc';
  /** what decides, beside the page, whether two lists can be read by one statement */
  alikeBy?(page: P): unknown;
  /** @param pages lists to read by one statement */
  sqlOf(pages: readonly P[], em: EntityManager): ListSql;
  toRow(row: object, em: EntityManager): T;
}

/**
 * Loads pages of the lists of many parents: what `findPage` is for one. One statement for all pages with
 * the same arguments, such as those of one field of a query. The index of a list begins with its parent
 * and ends with the id. Fails with `BAD_USER_INPUT` beyond `rowsMax` rows.
 */
export function loadPages<P extends PageOfParent, T extends { id: string }>({
  order,
  alikeBy = () => null,
  sqlOf,
  toRow,
}: PagesOptions<P, T>): BatchLoad<P, Connection<T>, Reader> {
  const comparison = order === 'asc' ? '>' : '<';
  return async (pages, { em }) => {
    const found = new Map<P, Connection<T>>();
    const groups = Map.groupBy(pages, (page) =>
      JSON.stringify([page.first, page.afterId, alikeBy(page)]),
    );
    for (const alike of groups.values()) {
      const { first, afterId } = alike[0] as P;
      const { select, values = [] } = sqlOf(alike, em);
      const parents = firstOfEach(alike, ({ parentId }) => parentId);
      const rows = await sql<{ parentId: string }>(
        em,
        `select parent.id as "parentId", list.* from unnest($1::uuid[], $4::uuid[])
           as parent (id, shard_id)
         cross join lateral (
           ${select} and ($2::uuid is null or id ${comparison} $2)
           order by id ${order} limit $3) as list
         order by list.id ${order} limit ${rowsMax + 1}`,
        [
          parents.map(({ parentId }) => parentId),
          afterId,
          first + 1,
          parents.map(({ shardId = null }) => shardId),
          ...values,
        ],
      );
      const byParent = Map.groupBy(requireRowsWithin(rows), ({ parentId }) => parentId);
      for (const page of alike) {
        const ofParent = byParent.get(page.parentId) ?? [];
        const list = ofParent.map(({ parentId: _, ...row }) => toRow(row, em));
        found.set(page, toConnection(list, first));
      }
    }
    return pages.map((page) => found.get(page) as Connection<T>);
  };
}

/** A page of a list of entities. */
export interface PageOf extends PageOfParent {
  /** property → its required value */
  readonly where: Readonly<Record<string, unknown>>;
}

/** @throws `BAD_USER_INPUT` as `pageRequest` */
export function pageOf(
  parentId: string,
  { first, after }: PageArgs,
  where: PageOf['where'] = {},
): PageOf {
  return { parentId, ...pageRequest(first, after), where };
}

/** A page of a list whose rows are in the shard of a shop or customer. */
export interface PageInShard extends PageOf {
  readonly shardId: string;
}

/** As `pageOf`, of a list whose rows are in the shard of a shop or customer. */
export const pageInShard = (
  shardId: string,
  parentId: string,
  page: PageArgs,
  where?: PageOf['where'],
): PageInShard => ({ ...pageOf(parentId, page, where), shardId });

interface PagesByOptions<T> {
  /** SQL for the rows that the lists have; all by default */
  readonly condition?: string;
  /** the property with the shard key; the pages are then those of `pageInShard` */
  readonly shard?: keyof T & string;
}
type PagesInShardOptions<T> = PagesByOptions<T> & Required<Pick<PagesByOptions<T>, 'shard'>>;

/**
 * Loads pages of entities by their parents.
 *
 * @param key the property with the id of the parent
 */
export function loadPagesBy<T extends { id: string }>(
  type: EntityClass<T>,
  key: keyof T & string,
  order: 'asc' | 'desc',
  options: PagesInShardOptions<T>,
): BatchLoad<PageInShard, Connection<T>, Reader>;
export function loadPagesBy<T extends { id: string }>(
  type: EntityClass<T>,
  key: keyof T & string,
  order: 'asc' | 'desc',
  options?: Omit<PagesByOptions<T>, 'shard'>,
): BatchLoad<PageOf, Connection<T>, Reader>;
export function loadPagesBy<T extends { id: string }>(
  type: EntityClass<T>,
  key: keyof T & string,
  order: 'asc' | 'desc',
  { condition = 'true', shard }: PagesByOptions<T> = {},
) {
  return loadPages<PageOf, T>({
    order,
    alikeBy: ({ where }) => where,
    sqlOf([page], em) {
      const { tableName, properties } = em.getMetadata().get(type);
      const column = (name: string) =>
        (properties[name as never] as EntityProperty<T>).fieldNames[0] as string;
      const where = Object.entries((page as PageOf).where);
      const conditions = where.map(([name], n) => `and ${column(name)} = $${n + 5}`);
      const inShard = shard ? `and ${column(shard)} = parent.shard_id` : '';
      return {
        select: `select * from ${tableName} where ${column(key)} = parent.id ${inShard}
          and ${condition} ${conditions.join(' ')}`,
        values: where.map(([, value]) => value),
      };
    },
    toRow: (row, em) => em.map(type, row),
  });
}
