import type { EntityManager } from '@mikro-orm/postgresql';
import type { Delivery } from '../../../contracts/events.js';
import { sql } from '../../database/sql.js';
import { scanStart } from '../../runtime/queue-mark.js';
import { deliveryMax } from '../inbox.js';
import { type Lane, queueOf } from './lane.js';

/** A claimed row: until its lease ends, no other relay claims it. */
export interface DueEntry {
  readonly id: string;
  readonly position: string;
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  /** JSON, as it is sent */
  readonly payload: string;
}

export interface Claimed {
  /** in the order of their positions */
  readonly entries: DueEntry[];
  /** when the lease ends, as PostgreSQL writes it: a row with another `next_attempt_at` is not claimed any more */
  readonly until: string;
  /** whether more rows may be due */
  readonly isFull: boolean;
}

type ChangedRow = DueEntry & { readonly isClaimed: boolean; readonly until: string };

/** Longer than a delivery may take; what takes several extends it before each. */
export const leaseMs = 15_000;
// For rows behind an earlier one of their key: that is being sent, or backs off, or is a dead letter.
const blockedMs = 250;
const blockedMaxMs = 1000;
const deadKeyMs = 30_000;

const dueSql = `due as materialized (
    select id, position, topic, key from outbox
    where consumer = $1 and delivery = $2 and sent_at is null and dead_at is null
      and next_attempt_at <= now() and next_attempt_at >= $3
    order by next_attempt_at, position limit ${deliveryMax} for update skip locked
  )`;

const returnedSql = `job.id, job.position, job.topic, job.key, job.version, job.payload::text as payload,
  job.next_attempt_at::text as until`;
const ms = (value: number) => `${value} * interval '1 ms'`;

/**
 * Claims due rows whose key has no earlier unsent row outside of this batch. Others wait: for one that another
 * relay claimed or that backs off, or for a dead letter, which stops its key until somebody resolves it.
 * By outbox_due, and for each row by outbox_key.
 */
const claimEachSql = `
  with ${dueSql}, checked as (
    select due.id, blocker.retry_at from due left join lateral (
      select case when b.dead_at is not null then now() + ${ms(deadKeyMs)}
        when b.rejections = 0 then now() + ${ms(blockedMs)}
        else greatest(least(b.next_attempt_at, now() + ${ms(blockedMaxMs)}),
          now() + ${ms(blockedMs)}) end as retry_at
      from outbox b
      where b.consumer = $1 and b.delivery = $2 and b.key = due.key and b.sent_at is null
        and b.position < due.position and not exists (select from due d where d.id = b.id)
      order by b.position limit 1
    ) blocker on true
  )
  update outbox job set updated_at = now(),
    next_attempt_at = coalesce(checked.retry_at, now() + ${ms(leaseMs)})
  from checked where job.id = checked.id
  returning ${returnedSql}, checked.retry_at is null as "isClaimed"`;

/**
 * Claims the newest unsent row of each topic and key that has a due row, and marks the due rows before it as
 * sent: it replaces them. So a key is sent in the place of its oldest row, and a claim changes at most twice as
 * many rows as it found due. A newest row that another relay has claimed, or that backs off, is not claimed.
 * By outbox_due, and for each key by outbox_key.
 */
const claimLatestSql = `
  with ${dueSql}, newest as materialized (
    select last.* from (select distinct topic, key from due) each_key cross join lateral (
      select id, topic, key from outbox n
      where n.consumer = $1 and n.delivery = $2 and n.key = each_key.key
        and n.topic = each_key.topic and n.sent_at is null
      order by n.position desc limit 1
    ) last
  ), advanced as materialized (
    select o.id from newest join outbox o on o.id = newest.id
    where not exists (select from due where due.id = newest.id)
      and o.sent_at is null and o.dead_at is null and o.next_attempt_at <= now()
    for update of o skip locked
  ), chosen as (
    select due.id, due.id = newest.id as is_newest from due join newest using (topic, key)
    union all select id, true from advanced
  )
  update outbox job set updated_at = now(),
    sent_at = case when not is_newest then now() end,
    next_attempt_at = case when is_newest then now() + ${ms(leaseMs)} else next_attempt_at end
  from chosen where job.id = chosen.id
  returning ${returnedSql}, is_newest as "isClaimed"`;

const claimSql: Readonly<Record<Delivery, string>> = { each: claimEachSql, latest: claimLatestSql };

/**
 * Claims rows of a lane, the longest due first. Rows that another relay is claiming are skipped. The statements
 * are not prepared: the plan of an empty outbox would be used for the 100,000 rows of an import.
 */
export async function claim(em: EntityManager, lane: Lane): Promise<Claimed> {
  const from = await scanStart(em.fork(), queueOf(lane));
  const values = [lane.consumer, lane.delivery, from];
  const rows = await sql<ChangedRow>(em.fork(), claimSql[lane.delivery], values);
  const entries = rows
    .filter(({ isClaimed }) => isClaimed)
    .toSorted((a, b) => Number(a.position) - Number(b.position));
  return { entries, until: entries[0]?.until ?? '', isFull: rows.length >= deliveryMax };
}
