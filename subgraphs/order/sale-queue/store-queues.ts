import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { QueuedSale } from '../../contracts/shop.js';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sql } from '../../shared/database/sql.js';
import { type Beacon, roundAt } from './beacon/beacon-chain.js';
import { beaconBeforeS } from './queue-times.js';

const columns = {
  sale_id: 'uuid',
  starts_at: 'timestamptz',
  ends_at: 'timestamptz',
  eligibility: 'text',
  account_before: 'timestamptz',
  admission_minutes: 'int',
  paused_ms: 'bigint',
  seed: 'bytea',
  beacon_chain: 'text',
  beacon_round: 'bigint',
  is_over: 'boolean',
} as const;

const stored = namedParameters({ sale: columns });

// Changed rows are found without their locks, so that the queues of sales that stay as they are are not locked.
const storeSql = `
  with sale as materialized (select * from ${stored.sql.sale}),
  changed as (
    select q.sale_id from sale_queue q join sale using (sale_id)
    where q.ends_at <> sale.ends_at or q.paused_ms <> sale.paused_ms
      or (q.ended_at is null and sale.is_over)
      or (q.ended_at is not null and q.closed_at is null and not sale.is_over)
      or (q.closed_at is null and (q.starts_at, q.eligibility, q.account_before,
          q.admission_minutes)
        is distinct from (sale.starts_at, sale.eligibility, sale.account_before,
          sale.admission_minutes))
      or (q.closed_at is null and q.beacon_chain = sale.beacon_chain
        and q.beacon_round is distinct from sale.beacon_round)
  ), locked as materialized (
    select q.sale_id from sale_queue q join changed using (sale_id) order by q.sale_id for update of q
  ), updated as (
    update sale_queue q set ends_at = sale.ends_at, paused_ms = sale.paused_ms,
      ended_at = case when sale.is_over then coalesce(q.ended_at, now())
        when q.closed_at is null then null else q.ended_at end,
      starts_at = case when q.closed_at is null then sale.starts_at else q.starts_at end,
      beacon_round = case
        when q.closed_at is null and q.beacon_chain = sale.beacon_chain then sale.beacon_round
        else q.beacon_round end,
      eligibility = case when q.closed_at is null then sale.eligibility else q.eligibility end,
      account_before = case
        when q.closed_at is null then sale.account_before else q.account_before end,
      admission_minutes = case
        when q.closed_at is null then sale.admission_minutes else q.admission_minutes end,
      updated_at = now()
    from sale join locked using (sale_id)
    where q.sale_id = sale.sale_id
  )
  insert into sale_queue (sale_id, starts_at, ends_at, eligibility, account_before,
    admission_minutes, paused_ms, seed, beacon_chain, beacon_round)
  select sale_id, starts_at, ends_at, eligibility, account_before, admission_minutes,
    paused_ms, seed, beacon_chain, beacon_round
  from sale where not is_over and ends_at > now()
    and sale_id not in (select sale_id from sale_queue)
  order by sale_id
  on conflict (sale_id) do nothing`;

/**
 * Makes the queues of sales that have none, with a random seed and the round of the beacon; of others it stores the
 * present terms while their list is open, and the end and pauses of the sale at any time.
 */
export async function storeQueues(
  em: EntityManager,
  sales: readonly QueuedSale[],
  beacon: Beacon | null,
): Promise<void> {
  if (sales.length === 0) return;
  const rows = sales.map((sale) => {
    const dueAt = new Date(Date.parse(sale.startsAt) - beaconBeforeS * 1000);
    return {
      sale_id: sale.id,
      starts_at: sale.startsAt,
      ends_at: sale.endsAt,
      eligibility: sale.eligibility,
      account_before: sale.accountBefore,
      admission_minutes: sale.admissionMinutes,
      paused_ms: sale.pausedMs,
      seed: randomBytes(32),
      beacon_chain: beacon?.hash ?? null,
      beacon_round: beacon ? roundAt(beacon, dueAt) : null,
      is_over: sale.state === 'CANCELLED' || sale.admission !== 'QUEUED',
    };
  });
  await sql(em, storeSql, stored.values({ sale: rows }));
}
