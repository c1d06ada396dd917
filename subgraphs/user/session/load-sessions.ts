import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { sql } from '../../shared/database/sql.js';
import {
  type Connection,
  type PageArgs,
  pageSize,
  toConnection,
} from '../../shared/graphql/connection.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import { readCursor } from '../../shared/graphql/cursor.js';
import { requireRowsWithin, rowsMax } from '../../shared/graphql/rows-max.js';
import { LoginSession } from './login-session.js';

/** the last millisecond of the year 9999: PostgreSQL reads years of four digits */
const timeMax = 253_402_300_799_999;
const place = z.tuple([z.int().min(0).max(timeMax), z.guid()]);

/** A page of the open sessions of a user. */
export interface SessionPage {
  readonly userId: string;
  readonly first: number;
  /** last use, in milliseconds since 1970, and id of the session after which the page begins */
  readonly after: z.infer<typeof place> | null;
}

/** @throws `BAD_USER_INPUT` for a size outside 1 to 100, or an invalid cursor */
export const sessionPage = (userId: string, { first, after }: PageArgs): SessionPage => ({
  userId,
  first: pageSize(first),
  after: readCursor(after, place),
});

/** A place before the newest use of every session, where a list begins. */
const beginning = { usedAt: 'infinity', id: '00000000-0000-0000-0000-000000000000' };

/** Loads pages of the open sessions of users, newest use first, in one statement: by `login_session_open`. */
export const loadSessionsOfUsers: BatchLoad<
  SessionPage,
  Connection<LoginSession>,
  { readonly em: EntityManager }
> = async (pages, { em }) => {
  const rows = await sql<{ page: number }>(
    em,
    `select page.at::int as page, list.*
     from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::uuid[])
       with ordinality as page (user_id, rows_max, after_used_at, after_id, at)
     cross join lateral (
       select * from login_session
       where user_id = page.user_id and ended_at is null and expires_at > now()
         and (updated_at, id) < (page.after_used_at, page.after_id)
       order by updated_at desc, id desc limit page.rows_max) as list
     order by page.at, list.updated_at desc, list.id desc limit ${rowsMax + 1}`,
    [
      pages.map(({ userId }) => userId),
      pages.map(({ first }) => first + 1),
      pages.map(({ after }) => (after ? new Date(after[0]).toISOString() : beginning.usedAt)),
      pages.map(({ after }) => after?.[1] ?? beginning.id),
    ],
  );
  const byPage = Map.groupBy(requireRowsWithin(rows), ({ page }) => page);
  return pages.map(({ first }, at) => {
    const list = (byPage.get(at + 1) ?? []).map(({ page: _, ...row }) => em.map(LoginSession, row));
    return toConnection(list, first, ({ lastUsedAt, id }) => [lastUsedAt.getTime(), id]);
  });
};

/** Whether sessions have not ended. No lock: for reads. */
export const loadLiveSessions: BatchLoad<string, boolean, { readonly em: EntityManager }> = async (
  ids,
  { em },
) => {
  const rows = await sql<{ id: string }>(
    em,
    'select id from login_session where id = any($1::uuid[]) and ended_at is null',
    [ids],
  );
  const live = new Set(rows.map(({ id }) => id));
  return ids.map((id) => live.has(id));
};
