import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../database/retention.js';
import type { RunSql } from '../database/sql.js';
import { tryAgain } from '../errors.js';
import { keyReused } from './claim-key.js';

/**
 * The outcome of a mutation, under the key with which its client may repeat it. The row is written in the
 * transaction of the change, so that no crash leaves one without the other.
 */
@Retained({ keptFor: '24 hours', since: 'created_at', index: 'stored_outcome_created_at' })
@Entity({ tableName: 'stored_outcome' })
export class StoredOutcome {
  /** the user, or another scope within which keys are distinct */
  @PrimaryKey({ type: 'uuid' })
  userId!: string;

  /** the name of the mutation */
  @PrimaryKey({ type: 'text' })
  operation!: string;

  @PrimaryKey({ type: 'text' })
  key!: string;

  /** SHA-256 of the request, to distinguish a repeat from another request under the same key */
  @Property({ type: 'text' })
  fingerprint!: string;

  /** null only within the transaction */
  @Property({ type: 'jsonb', nullable: true })
  outcome!: object | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', index: 'stored_outcome_created_at' })
  createdAt!: Opt<Date>;
}

export interface RequestKey {
  readonly userId: string;
  readonly operation: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** The request was processed before: thrown to leave its second transaction. */
export class RequestRepeated extends Error {
  constructor(readonly outcome: object) {
    super('the request was processed before');
  }
}

const claimAttemptsMax = 3;

/**
 * Claims a key, as the first statement of a transaction. While another transaction has it, waits until that
 * one ends.
 *
 * @param sql runs statements in the transaction
 * @throws RequestRepeated, if the key has an outcome; `IDEMPOTENCY_KEY_REUSED` for another request under the
 *   same key
 */
export async function claimInTransaction(sql: RunSql, request: RequestKey): Promise<void> {
  for (let attempt = 1; attempt <= claimAttemptsMax; attempt++) {
    const inserted = await sql(
      `insert into stored_outcome (user_id, operation, key, fingerprint) values ($1, $2, $3, $4)
       on conflict do nothing returning 1`,
      [request.userId, request.operation, request.key, request.fingerprint],
    );
    if (inserted.length > 0) return;
    const outcome = await findOutcome(sql, request);
    if (outcome) throw new RequestRepeated(outcome); // else it was pruned meanwhile
  }
  throw tryAgain('The same request is already in progress. Please retry with the same key.');
}

/** @throws `IDEMPOTENCY_KEY_REUSED` for another request under the same key */
export async function findOutcome(
  sql: RunSql,
  { userId, operation, key, fingerprint }: RequestKey,
): Promise<object | null> {
  const [row] = await sql<Pick<StoredOutcome, 'fingerprint' | 'outcome'>>(
    `select fingerprint, outcome from stored_outcome
     where user_id = $1 and operation = $2 and key = $3`,
    [userId, operation, key],
  );
  if (row && row.fingerprint !== fingerprint) throw keyReused();
  return row?.outcome ?? null;
}

/** Stores the outcome of a claimed key. */
export async function storeInTransaction(
  sql: RunSql,
  { userId, operation, key }: RequestKey,
  outcome: object,
): Promise<void> {
  await sql(
    'update stored_outcome set outcome = $4 where user_id = $1 and operation = $2 and key = $3',
    [userId, operation, key, JSON.stringify(outcome)],
  );
}
