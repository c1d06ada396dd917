import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { addDays, type UtcDay, utcDayOf } from './utc-day.js';

/**
 * How many days after a day it is reconciled: banks return refunds and customers dispute payments days later,
 * and webhooks are lost.
 */
const daysAfter = [1, 7, 30];
// What changed at the end of a day has been settled by then.
const startsAfterMs = 3_600_000;
// A process that was away for longer leaves the rest to the reconciliations that come later.
const catchUpDays = 7;
// Longer than a batch: five pages, each of a minute at most.
const claimMs = 900_000;

export interface DueReconciliation {
  readonly provider: string;
  readonly day: UtcDay;
  readonly daysAfter: number;
}

export interface ClaimedReconciliation extends DueReconciliation {
  /** as PostgreSQL writes it: it differs from that of every other claim */
  readonly claimedUntil: string;
}

/**
 * The reconciliations that are due, unfinished and not claimed, those that are due for the longest time first:
 * from 01:00 UTC of the later day, for a week, of days since the first payment.
 */
export function findDueReconciliations(
  em: EntityManager,
  provider: string,
  now: Date,
): Promise<DueReconciliation[]> {
  const lastDay = utcDayOf(new Date(now.getTime() - startsAfterMs));
  const firstDay = addDays(lastDay, 1 - catchUpDays);
  return sql(em, findDueSql, [provider, firstDay, lastDay, daysAfter]);
}

// payment by its id (payment_id), which begins with its time.
const findDueSql = `
  with first_payment as (
    select (created_at at time zone 'UTC')::date as day from payment order by id limit 1
  ), due as (
    select later.at::date - days_after as day, days_after, later.at
    from generate_series($2::timestamp, $3::timestamp, interval '1 day') as later (at),
      unnest($4::int[]) as days_after
  )
  select $1::text as provider, due.day::text as day, due.days_after as "daysAfter"
  from due
  join first_payment on first_payment.day <= due.day
  left join reconciliation r
    on r.provider = $1 and r.day = due.day and r.days_after = due.days_after
  where r.finished_at is null and (r.claimed_until is null or r.claimed_until <= now())
  order by due.at, due.day`;

/** @returns null if another process claimed or finished it meanwhile */
export async function claimReconciliation(
  em: EntityManager,
  due: DueReconciliation,
): Promise<ClaimedReconciliation | null> {
  const [row] = await sql<{ claimedUntil: string }>(em, claimSql, [...keyOf(due), claimMs]);
  return row ? { ...due, claimedUntil: row.claimedUntil } : null;
}

const claimSql = `
  insert into reconciliation as r (provider, day, days_after, claimed_until)
  values ($1, $2, $3, now() + $4::float8 * interval '1 ms')
  on conflict (provider, day, days_after) do update set claimed_until = excluded.claimed_until
  where r.finished_at is null and r.claimed_until <= now()
  returning claimed_until::text as "claimedUntil"`;

/** Extends a claim. @returns null if it has lapsed, and another process has claimed it */
export const renewClaim = (em: EntityManager, claim: ClaimedReconciliation) =>
  changeClaim(em, claim, claimMs);

/** Ends a claim: after this time the reconciliation may be claimed again. */
export const releaseReconciliation = (
  em: EntityManager,
  claim: ClaimedReconciliation,
  retryAfterMs: number,
) => changeClaim(em, claim, retryAfterMs);

async function changeClaim(
  em: EntityManager,
  claim: ClaimedReconciliation,
  forMs: number,
): Promise<ClaimedReconciliation | null> {
  const [row] = await sql<{ claimedUntil: string }>(
    em,
    `update reconciliation set claimed_until = now() + $5::float8 * interval '1 ms'
     where ${isClaimed} returning claimed_until::text as "claimedUntil"`,
    [...keyOf(claim), claim.claimedUntil, forMs],
  );
  return row ? { ...claim, claimedUntil: row.claimedUntil } : null;
}

/** @returns whether the claim was still held */
export async function finishReconciliation(
  em: EntityManager,
  claim: ClaimedReconciliation,
  differences: number,
): Promise<boolean> {
  const rows = await sql(
    em,
    `update reconciliation set finished_at = now(), differences = $5
     where ${isClaimed} returning 1`,
    [...keyOf(claim), claim.claimedUntil, differences],
  );
  return rows.length > 0;
}

const isClaimed = `provider = $1 and day = $2 and days_after = $3
  and claimed_until = $4::timestamptz and finished_at is null`;

const keyOf = ({ provider, day, daysAfter }: DueReconciliation) => [provider, day, daysAfter];
