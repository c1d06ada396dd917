import { createHash } from 'node:crypto';
import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { type EntityManager, sql, sqlPrepared } from './database.js';
import { DomainError, tryAgain } from './errors.js';

/**
 * A key under which a client may send the same operation again and get the same answer. The row
 * fixes the id of what is made (`subjectId`) before it is made, so that whoever takes up the work
 * of a process that died goes on with the same thing.
 */
@Entity({ tableName: 'idempotency_key' })
export class IdempotencyKey {
  @PrimaryKey({ type: 'uuid' })
  userId!: string;

  @PrimaryKey({ type: 'text' })
  operation!: string;

  @PrimaryKey({ type: 'text' })
  key!: string;

  /** SHA-256 of the request, to tell a repeated request from another one under the same key */
  @Property({ type: 'text' })
  fingerprint!: string;

  @Property({ type: 'uuid', index: 'idempotency_key_subject' })
  subjectId!: string;

  /** what was answered, as facts; null while the work goes on */
  @Property({ type: 'jsonb', nullable: true })
  outcome!: object | null;

  /** until then the work belongs to the process that claimed it */
  @Property({ type: 'timestamptz' })
  claimedUntil!: Date;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', index: 'idempotency_key_created_at' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

export interface KeyOf {
  readonly userId: string;
  readonly operation: string;
  readonly key: string;
}
export type Claim<O> =
  | { readonly subjectId: string; readonly outcome: null }
  | { readonly subjectId: string; readonly outcome: O };

// Work that lasts longer may be taken up by another while it goes on; so what is done under a key
// is done once by itself, through `subjectId`, and the claim only spares doing it at the same time.
const claimMs = 10_000;
const waitMaxMs = 5000;
const waitStepMs = 50;
export const keyKeepHours = 24;

export function fingerprintOf(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex');
}

/**
 * Claims a key, or gives the outcome that is stored under it. While another request with the key is
 * at work, waits for its outcome.
 *
 * @param subjectId the id of what is to be made, where the key is new
 * @throws `IDEMPOTENCY_KEY_REUSED` for another request under the same key; `TRY_AGAIN` when the one
 *   at work does not end in time
 */
export async function claimKey<O extends object>(
  em: EntityManager,
  of: KeyOf,
  fingerprint: string,
  subjectId: string,
): Promise<Claim<O>> {
  const deadlineMs = Date.now() + waitMaxMs;
  for (;;) {
    const row = await claimOnce<O>(em, of, fingerprint, subjectId);
    if (row.fingerprint !== fingerprint) {
      const message = 'This idempotencyKey was used for another request; take a new one.';
      throw new DomainError('IDEMPOTENCY_KEY_REUSED', message);
    }
    if (row.claimed || row.outcome) return { subjectId: row.subjectId, outcome: row.outcome as O };
    if (Date.now() >= deadlineMs) {
      throw tryAgain('The same request is at work already; ask again with the same key.');
    }
    await new Promise((resolve) => setTimeout(resolve, waitStepMs));
  }
}

interface KeyRow<O> {
  fingerprint: string;
  subjectId: string;
  outcome: O | null;
  claimed: boolean;
}

/** One statement: makes the row, or takes over a claim that has lapsed, or reads what is there. */
async function claimOnce<O>(em: EntityManager, of: KeyOf, fingerprint: string, subjectId: string) {
  const rows = await sqlPrepared<KeyRow<O>>(
    em,
    `with taken as (
       insert into idempotency_key as k
         (user_id, operation, key, fingerprint, subject_id, claimed_until)
       values ($1, $2, $3, $4, $5, now() + $6 * interval '1 ms')
       on conflict (user_id, operation, key) do update
         set claimed_until = excluded.claimed_until, updated_at = now()
         where k.outcome is null and k.claimed_until < now() and k.fingerprint = excluded.fingerprint
       returning fingerprint, subject_id as "subjectId", outcome, true as claimed
     )
     select * from taken
     union all
     select fingerprint, subject_id as "subjectId", outcome, false as claimed
     from idempotency_key
     where user_id = $1 and operation = $2 and key = $3 and not exists (select from taken)`,
    [of.userId, of.operation, of.key, fingerprint, subjectId, claimMs],
  );
  // A row that another transaction made during this statement is not seen by it: look again.
  return rows[0] ?? { fingerprint, subjectId, outcome: null, claimed: false };
}

/** Stores an outcome; its five values stand from `$first` on: user, operation, key, subject, outcome. */
export const storing = (first: number) => `update idempotency_key
  set outcome = $${first + 4}, updated_at = now()
  where user_id = $${first} and operation = $${first + 1} and key = $${first + 2}
    and subject_id = $${first + 3} and outcome is null`;

/** The values that `storing` needs. */
export const stored = (of: KeyOf, subjectId: string, outcome: object): unknown[] => {
  return [of.userId, of.operation, of.key, subjectId, JSON.stringify(outcome)];
};

/**
 * Stores what is answered under a key from now on; the first outcome stays. A key that was freed, and
 * claimed for something else meanwhile, is left alone.
 */
export async function storeOutcome(
  em: EntityManager,
  of: KeyOf,
  subjectId: string,
  outcome: object,
): Promise<void> {
  await sqlPrepared(em, storing(1), stored(of, subjectId, outcome));
}

/** Gives up a claim without an outcome, so that the next request with the key goes on at once. */
export async function giveUpClaim(em: EntityManager, of: KeyOf, subjectId: string): Promise<void> {
  await sqlPrepared(
    em,
    `update idempotency_key set claimed_until = now() - interval '1 ms', updated_at = now()
     where user_id = $1 and operation = $2 and key = $3 and subject_id = $4 and outcome is null`,
    [of.userId, of.operation, of.key, subjectId],
  );
}

const pruneMax = 50_000;

export async function pruneKeys(em: EntityManager): Promise<void> {
  await sql(
    em,
    `delete from idempotency_key where ctid in (
       select ctid from idempotency_key where created_at < now() - $1 * interval '1 hour' limit $2)`,
    [keyKeepHours, pruneMax],
  );
}
