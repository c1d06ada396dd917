import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { lowestIdAt } from '../../../shared/ids.js';
import {
  type PaymentProvider,
  type Period,
  PermanentRefusal,
  type SendPage,
} from '../provider/payment-provider.js';

import type { FoundDifference } from './difference.js';
import { repeatNotDone } from './repeat-not-done.js';

/** How many rows one SQL statement reads or changes. */
export const batchMax = 500;

// At 0.1 s a call, some three minutes.
const lookUpsMax = 2000;
const quietHours = 1;
// A payment has the id that its idempotency key reserved, for a day before it began.
const idLeadMs = 2 * 86_400_000;
const clockSkewMs = 3_600_000;

/** What the comparison of one day works with. It only reads. */
export interface Comparing {
  readonly em: EntityManager;
  readonly provider: PaymentProvider;
  readonly period: Period;
  /** called before each batch and each call to the provider; an error that it throws ends the comparison */
  readonly checkpoint: () => Promise<void>;
  /** Sends a request to the provider, and repeats it for a while if it was not done. */
  readonly send: SendPage;
  /** how many single objects may still be looked up at the provider */
  lookUpsLeft: number;
}

export const comparing = (parts: Omit<Comparing, 'send' | 'lookUpsLeft'>): Comparing => ({
  ...parts,
  send: (request) => repeatNotDone(request, parts.checkpoint),
  lookUpsLeft: lookUpsMax,
});

/** One of ours that the provider should have listed. */
export interface Expected {
  readonly id: string;
  /** the provider’s id */
  readonly providerId: string;
}

/** How one kind of object is compared. */
export interface Comparison<Listed, Ours extends Expected> {
  list(provider: PaymentProvider, period: Period, send: SendPage): AsyncIterable<Listed>;
  providerIdOf(listed: Listed): string;
  /** Compares a batch of listed objects with the rows here. */
  compare(comparing: Comparing, listed: readonly Listed[]): Promise<FoundDifference[]>;
  /**
   * SQL for the rows (`Ours`) of the period that the provider must know, by id: `createdInSql` with `$1` to
   * `$4`, the provider's name as `$5`, at most `$6` rows.
   */
  readonly expectedSql: string;
  /** Looks one up at the provider. @throws PermanentRefusal also if the provider does not know it */
  exists(provider: PaymentProvider, ours: Ours): Promise<boolean>;
  missing(ours: Ours): FoundDifference;
}

/**
 * Compares the objects that the provider created in a period with ours, in both directions. Keeps the ids of
 * the period in memory, some 100 bytes each.
 */
export async function compareListed<Listed, Ours extends Expected>(
  comparing: Comparing,
  comparison: Comparison<Listed, Ours>,
): Promise<FoundDifference[]> {
  const { em, provider, period, checkpoint, send } = comparing;
  const found: FoundDifference[] = [];
  const listedIds = new Set<string>();
  await checkpoint();
  for await (const batch of inBatches(comparison.list(provider, period, send))) {
    await checkpoint();
    for (const each of batch) listedIds.add(comparison.providerIdOf(each));
    found.push(...(await comparison.compare(comparing, batch)));
  }
  let afterId = lowestIdAt(period.from.getTime() - idLeadMs);
  for (;;) {
    await checkpoint();
    const rows = await sql<Ours>(em, comparison.expectedSql, [
      ...createdInValues(period, afterId),
      provider.name,
      batchMax,
    ]);
    const notListed = rows.filter(({ providerId }) => !listedIds.has(providerId));
    for (const ours of notListed) {
      if (await isMissing(comparing, comparison, ours)) found.push(comparison.missing(ours));
    }
    if (rows.length < batchMax) return found;
    afterId = rows.at(-1)?.id as string;
  }
}

async function* inBatches<T>(all: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const each of all) {
    batch.push(each);
    if (batch.length < batchMax) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/**
 * The provider may have listed it on another day: clocks differ, a refund may be sent days after it was
 * requested, and a dispute becomes known later than it was made. So it is looked up, as often as allowed.
 */
async function isMissing<Listed, Ours extends Expected>(
  comparing: Comparing,
  { exists }: Comparison<Listed, Ours>,
  ours: Ours,
): Promise<boolean> {
  if (!(await mayLookUp(comparing))) return true;
  try {
    return !(await comparing.send(() => exists(comparing.provider, ours)));
  } catch (error) {
    if (error instanceof PermanentRefusal) return true;
    throw error;
  }
}

/** Takes one of the look-ups that are left. */
export async function mayLookUp(comparing: Comparing): Promise<boolean> {
  if (comparing.lookUpsLeft === 0) return false;
  comparing.lookUpsLeft -= 1;
  await comparing.checkpoint();
  return true;
}

/**
 * SQL for a payment with a step left to do, or that has just changed: it is not compared yet. A captured
 * payment whose look-ups fail is compared nevertheless.
 */
export const isInProgressSql = (payment: string) =>
  `((${payment}.next_attempt_at is not null
      and not (${payment}.status in ('COMPLETED', 'REFUNDED') and ${payment}.attempts >= 8)) or ${hasJustChangedSql(payment)})`;

/** SQL for a row that has just changed. */
export const hasJustChangedSql = (row: string) =>
  `${row}.updated_at > now() - interval '${quietHours} hours'`;

/**
 * SQL for the rows that were created in the period `$1` to `$2`, after the id `$3`. Ids begin with their time,
 * so the index on them serves it.
 */
export const createdInSql = (row: string) =>
  `${row}.id > $3 and ${row}.id < $4 and ${row}.created_at >= $1 and ${row}.created_at < $2`;

/** The values for `createdInSql`, `$1` to `$4`. */
const createdInValues = ({ from, to }: Period, afterId: string) => [
  from,
  to,
  afterId,
  lowestIdAt(to.getTime() + clockSkewMs),
];
