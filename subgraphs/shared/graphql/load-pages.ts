import type { EntityClass, EntityProperty } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../database/sql.js';
import { type Connection, pageRequest, toConnection } from './connection.js';
import type { BatchLoad } from './context.js';

interface Reader {
  readonly em: EntityManager;
}

/** A page of the list of one parent. */
export interface PageOf {
  readonly parentId: string;
  readonly first: number;
  readonly afterId: string | null;
  /** property → its required value */
  readonly where: Readonly<Record<string, unknown>>;
}

/** @throws `BAD_USER_INPUT` as `pageRequest` */
export function pageOf(
  parentId: string,
  { first, after }: { readonly first: number; readonly after?: string | null | undefined },
  where: PageOf['where'] = {},
): PageOf {
  return { parentId, ...pageRequest(first, after), where };
}

/**
 * Loads pages of the lists of many parents, ordered by id, as `findPage` does for one. Uses one statement
 * for all pages with the same arguments, such as those of one field of a query.
 *
 * @param key the property with the id of the parent
 */
export function loadPagesBy<T extends { id: string }>(
  type: EntityClass<T>,
  key: keyof T & string,
  order: 'asc' | 'desc',
): BatchLoad<PageOf, Connection<T>, Reader> {
  return async (pages, { em }) => {
    const found = new Map<PageOf, Connection<T>>();
    const alike = Map.groupBy(pages, ({ parentId: _, ...page }) => JSON.stringify(page));
    for (const [first, ...others] of alike.values()) {
      const group = [first as PageOf, ...others];
      const rows = await readPages(em.fork(), type, { key, order }, group);
      const byParent = Map.groupBy(rows, (row) => row[key] as string);
      for (const page of group) {
        found.set(page, toConnection(byParent.get(page.parentId) ?? [], page.first));
      }
    }
    return pages.map((page) => found.get(page) as Connection<T>);
  };
}

async function readPages<T extends { id: string }>(
  em: EntityManager,
  type: EntityClass<T>,
  { key, order }: { readonly key: string; readonly order: 'asc' | 'desc' },
  pages: readonly PageOf[],
): Promise<T[]> {
  const { tableName, properties } = em.getMetadata().get(type);
  const column = (name: string) =>
    (properties[name as never] as EntityProperty<T>).fieldNames[0] as string;
  const { first, afterId, where } = pages[0] as PageOf;
  const conditions = Object.keys(where).map((name, n) => `and ${column(name)} = $${n + 4}`);
  const rows = await sql<object>(
    em,
    `select list.* from unnest($1::uuid[]) as parent (id) cross join lateral (
       select * from ${tableName}
       where ${column(key)} = parent.id and ($2::uuid is null or id ${order === 'asc' ? '>' : '<'} $2)
         ${conditions.join(' ')}
       order by id ${order} limit $3) list`,
    [
      [...new Set(pages.map(({ parentId }) => parentId))],
      afterId,
      first + 1,
      ...Object.values(where),
    ],
  );
  return rows.map((row) => em.map(type, row));
}
