import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { sql } from '../../../shared/database/sql.js';
import {
  type Connection,
  type PageArgs,
  pageSize,
  toConnection,
} from '../../../shared/graphql/connection.js';
import { readCursor } from '../../../shared/graphql/cursor.js';
import type { DrawnTicket } from './sale-draw.js';

const place = z.tuple([z.number().int()]);

/** Tickets in the order of the draw, behind a number; served by `sale_ticket_draw_number`. */
const readBehind = (em: EntityManager, saleId: string, drawNumber: number, count: number) =>
  sql<DrawnTicket>(
    em,
    `select id, draw_number as "drawNumber" from sale_ticket
     where sale_id = $1 and draw_number > $2 order by draw_number limit $3`,
    [saleId, drawNumber, count],
  );

/** A page of the tickets of a draw, in its order. @throws `BAD_USER_INPUT` */
export async function drawnPage(
  em: EntityManager,
  saleId: string,
  { first, after }: PageArgs,
): Promise<Connection<DrawnTicket>> {
  const [drawNumber] = readCursor(after, place) ?? [0];
  const rows = await readBehind(em, saleId, drawNumber, pageSize(first) + 1);
  return toConnection(rows, first, ({ drawNumber }) => [drawNumber]);
}

const rowsPerRead = 5000;

/** The ids of a draw in its order, page by page, so that a slow client keeps no transaction open. */
export async function* drawnIds(em: EntityManager, saleId: string): AsyncGenerator<string[]> {
  for (let drawNumber = 0; ; ) {
    const rows = await readBehind(em, saleId, drawNumber, rowsPerRead);
    if (rows.length > 0) yield rows.map(({ id }) => id);
    if (rows.length < rowsPerRead) return;
    drawNumber = (rows.at(-1) as DrawnTicket).drawNumber;
  }
}
