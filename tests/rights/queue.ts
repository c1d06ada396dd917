import type { SubgraphName } from '../../ops/subgraph-names.js';
import {
  drawOrderOf,
  listHashOf,
  sha256,
} from '../../subgraphs/order/sale-queue/draw/draw-order.js';
import { newId } from '../../subgraphs/shared/ids.js';

type Change = (of: SubgraphName, query: string, values: unknown[]) => Promise<unknown>;

/** A queue of a sale that was drawn with a beacon and has not started, so that no worker changes it, with an admitted ticket of each of these users. */
export async function openDrawnQueue(
  change: Change,
  users: readonly { readonly id: string }[],
): Promise<string> {
  const saleId = newId();
  const signature = Buffer.from('signature');
  const seed = Buffer.from('seed');
  const ids = users.map(() => newId());
  const listHash = listHashOf(ids);
  const order = drawOrderOf({ seed, beacon: sha256(signature), listHash, ids });
  await change(
    'order',
    `with ticket as (
       insert into sale_ticket (customer_id, sale_id, id, joined_at, early, draw_number, number,
         admitted_at, admitted_paused_ms)
       select customer_id, $1, id, now(), true, n, n, now(), 0
       from unnest($2::uuid[], $3::uuid[], $4::int[]) as t (customer_id, id, n)
     )
     insert into sale_queue (sale_id, starts_at, ends_at, eligibility, admission_minutes, seed,
       beacon_chain, beacon_round, beacon_signature, closed_at, list_count, list_hash, drawn_at,
       next_number, serving_number)
     values ($1, now() + interval '1 h', now() + interval '1 day', 'ANYONE', 60, $5,
       'chain', 1, $6, now(), $7::int, $8, now(), $7::int + 1, $7::int)`,
    [
      saleId,
      users.map(({ id }) => id),
      ids,
      ids.map((id) => order.indexOf(id) + 1),
      seed,
      signature,
      ids.length,
      listHash,
    ],
  );
  return saleId;
}

/** A published sale with a queue and all of its terms. */
export const publishQueuedSale = (change: Change, shopId: string) =>
  change(
    'shop',
    `insert into sale_event (id, shop_id, name, slug, starts_at, ends_at, status, published_at,
       admission, eligibility, account_before, admissions_per_minute)
     values ($1, $2, 'Queued', $3, now() + interval '1 day', now() + interval '2 days', 'PUBLISHED', now(),
       'QUEUED', 'ACCOUNT_BEFORE', now(), 10)`,
    [newId(), shopId, `queued-${newId()}`],
  );
