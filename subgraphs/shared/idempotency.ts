import { createHash } from 'node:crypto';
import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { groupWrites } from './batching/group-writes.js';
import type { Retention } from './database/prune.js';
import { sqlPrepared } from './database/sql.js';
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

export const keyKeepHours = 24;

export const keyRetention: Retention = {
  table: 'idempotency_key',
  outdated: `created_at < now() - interval '${keyKeepHours} hours'`,
};

export interface IdempotencyKeyRef {
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

export function fingerprintOf(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex');
}

/**
 * Claims a key, or gives the outcome that is stored under it. While another request with the key is
 * at work, waits for its outcome.
 *
 * @param claimOnce of `createClaims`
 * @param subjectId the id of what is to be made, where the key is new
 * @throws `IDEMPOTENCY_KEY_REUSED` for another request under the same key; `TRY_AGAIN` when the one
 *   at work does not end in time
 */
export async function claimKey<O extends object>(
  claimOnce: ClaimOnce,
  key: IdempotencyKeyRef,
  fingerprint: string,
  subjectId: string,
): Promise<Claim<O>> {
  const deadlineMs = Date.now() + waitMaxMs;
  for (;;) {
    const row = await claimOnce({ key, fingerprint, subjectId });
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

interface ClaimRequest {
  readonly key: IdempotencyKeyRef;
  readonly fingerprint: string;
  readonly subjectId: string;
}
interface KeyRow {
  readonly fingerprint: string;
  readonly subjectId: string;
  readonly outcome: object | null;
  readonly claimed: boolean;
}
export type ClaimOnce = (request: ClaimRequest) => Promise<KeyRow>;

/** What claims keys of this database; those that are claimed at the same time, by one statement. */
export const createClaims = (em: EntityManager): ClaimOnce =>
  groupWrites((requests) => claimAll(em.fork(), requests));

/** Makes the rows, or takes over claims that have lapsed, or reads what is there. */
async function claimAll(em: EntityManager, requests: readonly ClaimRequest[]): Promise<KeyRow[]> {
  const rows = await sqlPrepared<KeyRow & { n: string }>(em, claiming, [
    requests.map(({ key }) => key.userId),
    requests.map(({ key }) => key.operation),
    requests.map(({ key }) => key.key),
    requests.map(({ fingerprint }) => fingerprint),
    requests.map(({ subjectId }) => subjectId),
    claimMs,
  ]);
  const found = new Map(rows.map((row) => [Number(row.n), row]));
  // A row that another transaction made during this statement is not seen by it: look again.
  return requests.map(
    ({ fingerprint, subjectId }, n) =>
      found.get(n + 1) ?? { fingerprint, subjectId, outcome: null, claimed: false },
  );
}

const claiming = `
  with asked as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[])
      with ordinality as asked (user_id, operation, key, fingerprint, subject_id, n)
  ), taken as (
    insert into idempotency_key as k
      (user_id, operation, key, fingerprint, subject_id, claimed_until)
    select user_id, operation, key, fingerprint, subject_id, now() + $6 * interval '1 ms'
    from asked order by user_id, operation, key
    on conflict (user_id, operation, key) do update
      set claimed_until = excluded.claimed_until, updated_at = now()
      where k.outcome is null and k.claimed_until < now() and k.fingerprint = excluded.fingerprint
    returning user_id, operation, key, fingerprint, subject_id, outcome
  ), known as (
    select user_id, operation, key, fingerprint, subject_id, outcome, true as claimed from taken
    union all
    select k.user_id, k.operation, k.key, k.fingerprint, k.subject_id, k.outcome, false
    from asked join idempotency_key k using (user_id, operation, key)
    where not exists (select from taken t where (t.user_id, t.operation, t.key)
                      = (asked.user_id, asked.operation, asked.key))
  )
  select asked.n, k.fingerprint, k.subject_id as "subjectId", k.outcome, k.claimed
  from asked join known k using (user_id, operation, key)`;

/**
 * Stores what is answered under a key from now on; the first outcome stays. A key that was freed, and
 * claimed for something else meanwhile, is left alone.
 */
export async function storeOutcome(
  em: EntityManager,
  key: IdempotencyKeyRef,
  subjectId: string,
  outcome: object,
): Promise<void> {
  await sqlPrepared(
    em,
    `update idempotency_key set outcome = $5, updated_at = now()
     where user_id = $1 and operation = $2 and key = $3 and subject_id = $4 and outcome is null`,
    [key.userId, key.operation, key.key, subjectId, JSON.stringify(outcome)],
  );
}

/** Gives up a claim without an outcome, so that the next request with the key goes on at once. */
export async function releaseClaim(
  em: EntityManager,
  key: IdempotencyKeyRef,
  subjectId: string,
): Promise<void> {
  await sqlPrepared(
    em,
    `update idempotency_key set claimed_until = now() - interval '1 ms', updated_at = now()
     where user_id = $1 and operation = $2 and key = $3 and subject_id = $4 and outcome is null`,
    [key.userId, key.operation, key.key, subjectId],
  );
}
