import type { EntityManager } from '@mikro-orm/postgresql';
import { Coalescer } from '../../../shared/batching/coalescer.js';
import { sql } from '../../../shared/database/sql.js';
import { notFound } from '../../../shared/errors.js';
import { Order } from '../order.js';

export interface OrderVersion {
  readonly id: string;
  readonly version: number;
}

const versionsPerRead = 1000;
const ordersPerRead = 100;
const waitMaxMs = 10_000;

/**
 * Reads for subscribers, many together: one statement for versions and one for orders at a time.
 *
 * @param waitingMax reads that may wait
 */
export function createOrderReads(em: EntityManager, waitingMax: number) {
  const limits = { inFlightMax: 1, queueMax: waitingMax };
  const versions = new Coalescer<string, OrderVersion>(
    async (ids) => inOrder(ids, await readVersions(em, ids)),
    { ...limits, batchMax: versionsPerRead },
  );
  const orders = new Coalescer<string, Order>(
    async (ids) => inOrder(ids, await em.fork().find(Order, { id: { $in: [...new Set(ids)] } })),
    { ...limits, batchMax: ordersPerRead },
  );
  return {
    /** @throws `NOT_FOUND`; `TRY_AGAIN` after 10 s */
    version: (id: string) => versions.submit(id, waitMaxMs),
    /** @throws `NOT_FOUND`; `TRY_AGAIN` after 10 s */
    order: (id: string) => orders.submit(id, waitMaxMs),
  };
}

function inOrder<T extends { readonly id: string }>(ids: readonly string[], rows: readonly T[]) {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? notFound('order', id));
}

const readVersions = (em: EntityManager, ids: readonly string[]) =>
  sql<OrderVersion>(
    em.fork(),
    'select id, version from customer_order where id = any($1::uuid[])',
    [ids],
  );

/** The orders with a later version than the known one. */
export async function readChanged(
  em: EntityManager,
  known: readonly OrderVersion[],
): Promise<OrderVersion[]> {
  if (known.length === 0) return [];
  return sql<OrderVersion>(
    em.fork(),
    `select o.id, o.version from customer_order o
     join unnest($1::uuid[], $2::int[]) as known (id, version) using (id)
     where o.version > known.version`,
    [known.map(({ id }) => id), known.map(({ version }) => version)],
  );
}
