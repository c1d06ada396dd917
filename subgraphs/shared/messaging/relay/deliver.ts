import type { EntityManager } from '@mikro-orm/postgresql';
import { deliveryTo } from '../../../contracts/events.js';
import { bisect } from '../../batching/bisect.js';
import { sql } from '../../database/sql.js';
import { DomainError, UpstreamFault } from '../../errors.js';
import type { ServiceClient } from '../../http/service-client.js';
import type { Logger } from '../../observability/logger.js';
import { failPoint } from '../../resilience/fail-point.js';
import { retryAtSql } from '../../runtime/due-jobs.js';
import type { DueEntry } from './claim.js';
import { type Lane, laneName } from './lane.js';

export interface DeliveryParts {
  /** a manager to fork from, one fork for each statement */
  readonly em: EntityManager;
  /** consumer → its client */
  readonly consumers: Readonly<Record<string, ServiceClient>>;
  readonly logger: Logger;
}

const deliveryTimeoutMs = 10_000;
export const unreachableRetryMs = 1000;
const stoppedRetryMs = 250;
const backoffFirstMs = 100;
const backoffMaxMs = 60_000;
const rejectionsMax = 20;

/**
 * Sends claimed entries to their consumer, and marks those that it committed as sent. An entry that it
 * refuses, or fails on, backs off and becomes a dead letter after `rejectionsMax` times; of `each` it stops its
 * key: later entries of the key are not sent, and do not count as rejected.
 *
 * @returns whether the consumer was reached; if not, the entries that were not sent are due again in a second,
 *   without limit
 */
export async function deliver(
  parts: DeliveryParts,
  lane: Lane,
  entries: readonly DueEntry[],
): Promise<boolean> {
  const em = parts.em.fork();
  const isOrdered = lane.delivery === 'each';
  const stoppedKeys = new Set<string>();
  let away: unknown;

  async function post(part: readonly DueEntry[]): Promise<void> {
    // Nothing is sent after a delivery whose outcome is unknown: the order of a key would be lost.
    if (away !== undefined) throw away;
    const open = part.filter(({ key }) => !stoppedKeys.has(key));
    const stopped = part.filter(({ key }) => stoppedKeys.has(key));
    const accepted = open.length > 0 ? await postEvents(parts, lane, open) : new Set<string>();
    failPoint('event posted, not marked as sent');
    const refused: DueEntry[] = [];
    for (const entry of open.filter(({ id }) => !accepted.has(id))) {
      (stoppedKeys.has(entry.key) ? stopped : refused).push(entry);
      if (isOrdered) stoppedKeys.add(entry.key);
    }
    await markSent(em, lane, [...accepted]);
    await backOff(parts.logger, em, refused);
    await release(em, stopped, stoppedRetryMs);
  }

  await bisect(
    entries,
    post,
    (error) => !isOfEntries(error),
    async (part, error) => {
      const about = { err: error, lane: laneName(lane), entries: part.length };
      if (error !== away) parts.logger.warn(about, 'outbox delivery failed');
      if (isOfEntries(error)) {
        if (isOrdered) for (const { key } of part) stoppedKeys.add(key);
        return backOff(parts.logger, em, part);
      }
      away = error;
      return release(em, part, unreachableRetryMs);
    },
  );
  return away === undefined;
}

/**
 * Whether the entries caused the failure. Otherwise the consumer accepts nothing at the moment: it is
 * unreachable, or does not know this process or this operation yet.
 */
function isOfEntries(error: unknown): boolean {
  const code = error instanceof DomainError ? error.extensions.code : undefined;
  if (code === 'BAD_USER_INPUT') return true;
  return error instanceof UpstreamFault && error.code === 'INTERNAL_SERVER_ERROR';
}

/** @returns the ids of the events that the consumer has committed */
async function postEvents(
  { consumers }: DeliveryParts,
  { consumer }: Lane,
  entries: readonly DueEntry[],
): Promise<Set<string>> {
  const client = consumers[consumer];
  if (!client) throw new Error(`unknown consumer: ${consumer}`);
  const events = entries.map(({ id, topic, key, version, payload }) => {
    return { id, topic, key, version, payload: JSON.stringify(payload) };
  });
  const options = { timeoutMs: deliveryTimeoutMs, repeatable: true };
  return new Set(await client.call(deliveryTo(consumer), { events }, options));
}

const markSentSql = `
  update outbox set sent_at = now(), updated_at = now()
  where id = any($1::uuid[]) and sent_at is null`;
/** As `markSentSql`; what was sent replaces the dead letters before it (outbox_dead). */
const markLatestSentSql = `
  with sent as (
    ${markSentSql} returning consumer, delivery, key, position
  )
  update outbox dead set sent_at = now(), updated_at = now() from sent
  where dead.consumer = sent.consumer and dead.delivery = sent.delivery and dead.key = sent.key
    and dead.sent_at is null and dead.dead_at is not null and dead.position < sent.position`;

async function markSent(em: EntityManager, { delivery }: Lane, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql(em, delivery === 'latest' ? markLatestSentSql : markSentSql, [ids]);
}

/** Makes entries due again, without counting a rejection. */
async function release(em: EntityManager, entries: readonly DueEntry[], inMs: number) {
  if (entries.length === 0) return;
  await sql(
    em,
    `update outbox set next_attempt_at = now() + $2 * interval '1 ms', updated_at = now()
     where id = any($1::uuid[]) and sent_at is null`,
    [entries.map(({ id }) => id), inMs],
  );
}

async function backOff(logger: Logger, em: EntityManager, entries: readonly DueEntry[]) {
  if (entries.length === 0) return;
  const dead = await sql<{ id: string; dead: boolean }>(
    em,
    `update outbox set rejections = rejections + 1, updated_at = now(),
       next_attempt_at = ${retryAtSql('rejections', backoffFirstMs, backoffMaxMs)},
       dead_at = case when rejections + 1 >= $2 then now() end
     where id = any($1::uuid[]) and sent_at is null
     returning id, dead_at is not null as dead`,
    [entries.map(({ id }) => id), rejectionsMax],
  );
  for (const { id } of dead.filter((entry) => entry.dead)) {
    logger.error({ outboxId: id }, 'outbox entry dead-lettered');
  }
}
