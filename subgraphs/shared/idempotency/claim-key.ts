import { createHash } from 'node:crypto';
import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { groupWrites } from '../batching/group-writes.js';
import { Retained } from '../database/retention.js';
import { sqlPrepared } from '../database/sql.js';
import { DomainError, tryAgain } from '../errors.js';
import { markBegun } from '../observability/request-context.js';

/**
 * A key under which a client may retry an operation and get the same result. The row fixes the id of the
 * entity to create (`subjectId`) before it is created, so that a process that takes over from one that
 * died continues with the same entity.
 */
@Retained({ keptFor: '24 hours', since: 'created_at', index: 'idempotency_key_created_at' })
@Entity({ tableName: 'idempotency_key' })
export class IdempotencyKey {
  @PrimaryKey({ type: 'uuid' })
  userId!: string;

  @PrimaryKey({ type: 'text' })
  operation!: string;

  @PrimaryKey({ type: 'text' })
  key!: string;

  /** SHA-256 of the request, to distinguish a retry from another request under the same key */
  @Property({ type: 'text' })
  fingerprint!: string;

  @Property({ type: 'uuid', index: 'idempotency_key_subject' })
  subjectId!: string;

  /** the result, as facts; null while the request is in progress */
  @Property({ type: 'jsonb', nullable: true })
  outcome!: object | null;

  /** the claim lapses then, and another process may take over */
  @Property({ type: 'timestamptz' })
  claimedUntil!: Date;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', index: 'idempotency_key_created_at' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

export interface IdempotencyKeyRef {
  readonly userId: string;
  readonly operation: string;
  readonly key: string;
}
export interface Claim<O> {
  readonly subjectId: string;
  readonly outcome: O | null;
  /** the time at which this claim lapses, as PostgreSQL writes it: it differs from that of every other claim */
  readonly claimedUntil: string;
}

// Another process may take over work that takes longer, while it goes on. Operations are therefore
// idempotent by themselves, through `subjectId`; the claim only avoids doing the work twice. What nothing
// else protects is written only under the claim that decided it (`claimedUntil`).
const claimMs = 10_000;
const waitMaxMs = 5000;
const waitStepMs = 50;
// Nothing was done before the claim: a request that waits for longer is refused.
const firstWaitMaxMs = 800;

export const keyReused = () =>
  new DomainError(
    'IDEMPOTENCY_KEY_REUSED',
    'This idempotencyKey was used for another request. Use a new key.',
  );

export function fingerprintOf(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex');
}

/**
 * Claims a key, or returns the outcome that is stored under it. While another request with the key is
 * in progress, waits for its outcome.
 *
 * @param claimOnce from `createClaims`
 * @param subjectId the id of the entity to create, if the key is new
 * @throws `IDEMPOTENCY_KEY_REUSED` for another request under the same key; `TRY_AGAIN` if the request in
 *   progress does not complete in time
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
    if (row.fingerprint !== fingerprint) throw keyReused();
    if (row.claimed || row.outcome) {
      markBegun();
      const { outcome, claimedUntil } = row;
      return { subjectId: row.subjectId, outcome: outcome as O | null, claimedUntil };
    }
    if (Date.now() >= deadlineMs) {
      throw tryAgain('The same request is already in progress. Please retry with the same key.');
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
  readonly claimedUntil: string;
  readonly claimed: boolean;
}
export type ClaimOnce = (request: ClaimRequest) => Promise<KeyRow>;

/** Claims keys of this database; claims that arrive at the same time share one statement. */
export const createClaims = (em: EntityManager): ClaimOnce =>
  groupWrites((requests) => claimAll(em.fork(), requests), { waitMaxMs: firstWaitMaxMs });

/** Inserts the rows, or takes over lapsed claims, or reads the existing rows. */
async function claimAll(em: EntityManager, requests: readonly ClaimRequest[]): Promise<KeyRow[]> {
  const rows = await sqlPrepared<KeyRow & { n: string }>(em, claimSql, [
    requests.map(({ key }) => key.userId),
    requests.map(({ key }) => key.operation),
    requests.map(({ key }) => key.key),
    requests.map(({ fingerprint }) => fingerprint),
    requests.map(({ subjectId }) => subjectId),
    claimMs,
  ]);
  const found = new Map(rows.map((row) => [Number(row.n), row]));
  // The statement does not see a row that another transaction inserted meanwhile: the caller looks again.
  return requests.map(
    ({ fingerprint, subjectId }, n) =>
      found.get(n + 1) ?? {
        fingerprint,
        subjectId,
        outcome: null,
        claimedUntil: '',
        claimed: false,
      },
  );
}

const claimSql = `
  with requested as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[])
      with ordinality as requested (user_id, operation, key, fingerprint, subject_id, n)
  ), taken as (
    insert into idempotency_key as k
      (user_id, operation, key, fingerprint, subject_id, claimed_until)
    select user_id, operation, key, fingerprint, subject_id, now() + $6 * interval '1 ms'
    from requested order by user_id, operation, key
    on conflict (user_id, operation, key) do update
      set claimed_until = excluded.claimed_until, updated_at = now()
      where k.outcome is null and k.claimed_until < now() and k.fingerprint = excluded.fingerprint
    returning user_id, operation, key, fingerprint, subject_id, outcome, claimed_until
  ), known as (
    select *, true as claimed from taken
    union all
    select k.user_id, k.operation, k.key, k.fingerprint, k.subject_id, k.outcome, k.claimed_until, false
    from requested join idempotency_key k using (user_id, operation, key)
    where not exists (select from taken t where (t.user_id, t.operation, t.key)
                      = (requested.user_id, requested.operation, requested.key))
  )
  select requested.n, k.fingerprint, k.subject_id as "subjectId", k.outcome, k.claimed,
    k.claimed_until::text as "claimedUntil"
  from requested join known k using (user_id, operation, key)`;

/**
 * Stores the outcome that a key returns from now on; the first one stays. A key that was deleted, and
 * claimed for another subject meanwhile, is not changed.
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

interface ReleasedClaim extends Pick<Claim<object>, 'subjectId' | 'claimedUntil'> {
  readonly key: IdempotencyKeyRef;
}
/** Releases a claim without an outcome, so that the next request with the key can proceed at once. */
export type ReleaseClaim = (claim: ReleasedClaim) => void;

/**
 * Releases claims of this database; those that are released at the same time share one statement. Nobody waits for it:
 * a request with the key waits until it is claimed or lapses. A later claim of the key is not released.
 */
export function createClaimReleases(em: EntityManager): ReleaseClaim {
  const release = groupWrites(async (claims: readonly ReleasedClaim[]) => {
    await sqlPrepared(em.fork(), releaseSql, [
      claims.map(({ key }) => key.userId),
      claims.map(({ key }) => key.operation),
      claims.map(({ key }) => key.key),
      claims.map(({ subjectId }) => subjectId),
      claims.map(({ claimedUntil }) => claimedUntil),
    ]);
    return claims.map(() => null);
  });
  // It expires anyway.
  return (claim) => void release(claim).catch(() => {});
}

// Locked in the order in which claims lock them.
const releaseSql = `
  with released as (
    select k.user_id, k.operation, k.key
    from idempotency_key k
      join unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[])
        as claim (user_id, operation, key, subject_id, claimed_until)
        using (user_id, operation, key, subject_id, claimed_until)
    where k.outcome is null
    order by k.user_id, k.operation, k.key for update of k
  )
  update idempotency_key k set claimed_until = now() - interval '1 ms', updated_at = now()
  from released
  where (k.user_id, k.operation, k.key) = (released.user_id, released.operation, released.key)`;
