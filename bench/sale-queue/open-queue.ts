import { setTimeout as sleep } from 'node:timers/promises';
import type { SaleTerms, Vendor } from '../checkout/vendor.js';
import type { Place } from './place.js';

const hourMs = 3_600_000;
const pollMs = 50;
const waitMaxMs = 120_000;
/** How long after it is brought forward the list closes, and the sale starts: the list closes 30 s before that. */
const startsAfterS = 33;

export interface OpenQueue {
  readonly saleId: string;
  readonly offerId: string;
}

/** Waits until a query returns a row. @throws Error after two minutes */
export async function untilRow(
  client: Place['order'],
  text: string,
  values: readonly unknown[],
): Promise<void> {
  const endMs = performance.now() + waitMaxMs;
  while (performance.now() < endMs) {
    if ((await client.query(text, [...values])).rows.length > 0) return;
    await sleep(pollMs);
  }
  throw new Error(`nothing found within ${waitMaxMs} ms: ${text}`);
}

/** Publishes a sale with a queue that starts in an hour. */
export async function openQueue(
  { order }: Place,
  vera: Vendor,
  offerId: string,
  units: number,
  terms: SaleTerms = {},
): Promise<OpenQueue> {
  const all = { startsInMs: hourMs, admission: 'QUEUED' as const, ...terms };
  const { id: saleId } = await vera.publish(offerId, units, all);
  await untilRow(order, 'select from sale_queue where sale_id = $1', [saleId]);
  return { saleId, offerId };
}

/** Puts tickets of customers in the list, as if they had joined: each join through the router costs 1 ms and more. */
export async function insertTickets(
  order: Place['order'],
  saleId: string,
  customerIds: readonly string[],
): Promise<void> {
  await order.query(
    `insert into sale_ticket (customer_id, sale_id, id, joined_at, early)
     select customer_id, $1, gen_random_uuid(), clock_timestamp(), true
     from unnest($2::uuid[]) as c (customer_id)`,
    [saleId, customerIds],
  );
}

/** As `insertTickets`, for customers without accounts. */
export async function insertStrangers(
  order: Place['order'],
  saleId: string,
  count: number,
): Promise<void> {
  await order.query(
    `insert into sale_ticket (customer_id, sale_id, id, joined_at, early)
     select gen_random_uuid(), $1, gen_random_uuid(), clock_timestamp(), true
     from generate_series(1, $2::int)`,
    [saleId, count],
  );
  await order.query('analyze sale_ticket'); // as autovacuum does while a list fills
}

/** Moves the start of a sale to 33 s from now, as if time had passed: its list closes 3 s later. */
export async function bringForward({ shop, product }: Place, saleId: string): Promise<Date> {
  // The event of its publication would bring the former time.
  await untilRow(product, 'select from offer_listing where sale_id = $1', [saleId]);
  const { rows } = await shop.query<{ starts_at: Date }>(
    `update sale_event
     set starts_at = date_trunc('ms', clock_timestamp()) + interval '${startsAfterS} s'
     where id = $1 returning starts_at`,
    [saleId],
  );
  const startsAt = rows[0]?.starts_at as Date;
  await product.query(
    'update offer_listing set sale_starts_at = $2, sale_due_at = $2 where sale_id = $1',
    [saleId, startsAt],
  );
  return startsAt;
}

export const untilDrawn = ({ order }: Place, saleId: string) =>
  untilRow(order, 'select from sale_queue where sale_id = $1 and drawn_at is not null', [saleId]);

/** Closes the list, waits for the draw and for the start of the sale. */
export async function startSale(place: Place, saleId: string): Promise<void> {
  const startsAt = await bringForward(place, saleId);
  await untilDrawn(place, saleId);
  place.progress('list drawn');
  await sleep(startsAt.getTime() - Date.now());
}
