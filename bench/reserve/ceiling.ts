import pg from 'pg';
import type { ReserveRequest } from '../../subgraphs/contracts/reservation.js';
import { newId } from '../../subgraphs/shared/ids.js';
import type { CustomersTask } from './task.js';

const batchMax = 256;

/**
 * The upper limit of PostgreSQL with one hot key: writes the same rows as the engine, in the same batches, as
 * prepared set-based SQL on one connection, without entities, Redis locks and timers. Statements whose result
 * is not needed are pipelined, as the engine's inserts are.
 */
export async function startCeiling({ databaseUrl, keys }: CustomersTask) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { shopId, sku } = keys[0] as { shopId: string; sku: string };
  let waiting: Array<{
    request: ReserveRequest;
    resolve(outcome: { state: string }): void;
    reject(error: unknown): void;
  }> = [];
  let working = false;

  async function work(): Promise<void> {
    working = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMax);
      waiting = waiting.slice(batchMax);
      try {
        await writeBatch(
          client,
          { shopId, sku },
          batch.map(({ request }) => request),
        );
        for (const { resolve } of batch) resolve({ state: 'HELD' });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    working = false;
  }

  return (request: ReserveRequest) =>
    new Promise<{ state: string }>((resolve, reject) => {
      waiting.push({ request, resolve, reject });
      if (!working) {
        working = true;
        setImmediate(() => void work());
      }
    });
}

async function writeBatch(
  client: pg.Client,
  { shopId, sku }: { shopId: string; sku: string },
  requests: readonly ReserveRequest[],
): Promise<void> {
  const run = (name: string, text: string, values: unknown[]) =>
    client.query({ name, text, values });
  const units = requests.length;
  const orderIds = requests.map(({ orderId }) => orderId);
  const expiresAt = new Date(Date.now() + (requests[0]?.reserveForMs ?? 0));
  await client.query('begin');
  await run('warehouses', 'select id from warehouse where shop_id = $1 order by id for share', [
    shopId,
  ]);
  await run(
    'item',
    `update stock_item set available = available - $3, version = version + 1, updated_at = now()
     where shop_id = $1 and sku = $2 and available >= $3`,
    [shopId, sku, units],
  );
  const { rows } = await run(
    'level',
    `update stock_level
     set reserved = reserved + $3, last_seq = last_seq + $3, updated_at = now()
     where shop_id = $1 and sku = $2 returning id, on_hand, reserved, last_seq`,
    [shopId, sku, units],
  );
  const { id: levelId, on_hand: onHand, reserved, last_seq: lastSeq } = rows[0];
  await run(
    'known',
    'select order_id, state, expires_at from reservation where order_id = any($1::uuid[])',
    [orderIds],
  );
  const reservations = run(
    'reservations',
    `insert into reservation (order_id, shop_ids, state, expires_at)
     select id, array[$3::uuid], 'HELD', $2 from unnest($1::uuid[]) id`,
    [orderIds, expiresAt, shopId],
  );
  const lines = run(
    'lines',
    `insert into reservation_line (order_id, shop_id, level_id, quantity)
     select id, $3, $2, 1 from unnest($1::uuid[]) id`,
    [orderIds, levelId, shopId],
  );
  const movements = run(
    'movements',
    `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
       on_hand, reserved, committed, unavailable, reference, actor, created_at)
     select $4, $3, movement, $5::bigint + n, 'RESERVATION', 0, 1, $6::int, $7::int + n, 0, 0,
       id::text, 'order', uuid_extract_timestamp(movement)
     from unnest($1::uuid[], $2::uuid[]) with ordinality as row (movement, id, n)`,
    [
      requests.map(() => newId()),
      orderIds,
      levelId,
      shopId,
      Number(lastSeq) - units,
      onHand,
      reserved - units,
    ],
  );
  await Promise.all([reservations, lines, movements, client.query('commit')]);
}
