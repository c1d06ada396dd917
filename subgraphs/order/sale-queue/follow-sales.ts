import type { EntityManager } from '@mikro-orm/postgresql';
import { queuedSales } from '../../contracts/shop.js';
import { sql } from '../../shared/database/sql.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { SaleReads } from '../sale/read-sales.js';
import type { Beacon } from './beacon/beacon-chain.js';
import { storeQueues } from './store-queues.js';

/** What the queues of sales need. */
export interface FollowApp {
  readonly shop: ServiceClient;
  readonly saleReads: SaleReads;
  /** null: draws have none */
  readonly beacon: Beacon | null;
}

const options = { timeoutMs: 3000, repeatable: true };

/** Makes the queues of sales that are new, and stores what changed of the others. @throws `TRY_AGAIN` */
export async function followSales(app: FollowApp, em: EntityManager): Promise<void> {
  const sales = await app.shop.call(queuedSales, {}, options);
  const withoutQueue = await findOthers(
    em,
    sales.map(({ id }) => id),
  );
  const others = withoutQueue.length > 0 ? await app.saleReads.sales(withoutQueue) : new Map();
  await storeQueues(em, [...sales, ...others.values()], app.beacon);
}

/** Queues of sales that have not started and are not among these: they may have become open to everybody. */
async function findOthers(em: EntityManager, saleIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    em,
    `select sale_id as id from sale_queue
     where drawn_at is null and starts_at > now() and ended_at is null and sale_id <> all($1::uuid[])
     order by starts_at limit 100`,
    [saleIds],
  );
  return rows.map(({ id }) => id);
}
