import type { Client } from 'pg';
import { withDedicatedConnection } from '../../../shared/database/dedicated-connection.js';
import { failPoint } from '../../../shared/resilience/fail-point.js';
import { sha256 } from './draw-order.js';
import { hmacKeys } from './hmac-keys.js';

/** 200,000 tickets are one transaction. */
const transactionMaxMs = 120_000;

interface Undrawn {
  readonly seed: Buffer;
  readonly list_hash: Buffer;
}

/**
 * Numbers the list of a sale by the draw, unless another process has done so, or is drawing it.
 *
 * @param signature of the round of the beacon; null without one
 */
export async function drawQueue(
  url: string,
  saleId: string,
  signature: Buffer | null,
): Promise<void> {
  const connection = { name: 'order-draw', url, transactionMaxMs };
  await withDedicatedConnection(connection, async (client) => {
    await client.query('begin');
    // Held until the end of the transaction. The row is locked by joins, too, so it does not show who draws.
    const { rows: free } = await client.query<{ isFree: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended('draw ' || $1::text, 0)) as "isFree"`,
      [saleId],
    );
    if (!free[0]?.isFree) return;
    const { rows } = await client.query<Undrawn>(
      `select seed, list_hash from sale_queue
       where sale_id = $1 and closed_at is not null and drawn_at is null for update`,
      [saleId],
    );
    const queue = rows[0];
    if (queue) await numberTickets(client, saleId, queue, signature);
    await client.query('commit');
  });
  failPoint('queue drawn');
}

async function numberTickets(
  client: Client,
  saleId: string,
  { seed, list_hash }: Undrawn,
  signature: Buffer | null,
): Promise<void> {
  const { inner, outer } = hmacKeys(seed);
  const beacon = signature ? sha256(signature) : Buffer.alloc(0);
  // A ticket that was left and taken again has a number behind the list already.
  await client.query(
    `with list as materialized (
       select customer_id, id from sale_ticket where sale_id = $1 and early
       order by customer_id for update
     )
     update sale_ticket t set draw_number = drawn.number, updated_at = now(),
       number = coalesce(t.number, drawn.number)
     from (
       select customer_id, row_number() over (
         order by sha256($3 || sha256($2 || uuid_send(id))), id)::int as number
       from list
     ) as drawn
     where t.sale_id = $1 and t.customer_id = drawn.customer_id`,
    [saleId, Buffer.concat([inner, beacon, list_hash]), outer],
  );
  await client.query(
    `update sale_queue set drawn_at = clock_timestamp(), beacon_signature = $2, updated_at = now()
     where sale_id = $1`,
    [saleId, signature],
  );
  failPoint('queue drawn, not committed');
}
