import type { EntityManager } from '@mikro-orm/postgresql';
import { type DeliveryOutcome, deliveryTo } from '../../../contracts/events.js';
import { bisect } from '../../batching/bisect.js';
import { DomainError, UpstreamFault } from '../../errors.js';
import type { ServiceClient } from '../../http/service-client.js';
import type { Logger } from '../../observability/logger.js';
import { failPoint } from '../../resilience/fail-point.js';
import type { Claimed, DueEntry } from './claim.js';
import { ClaimedRows } from './claimed-rows.js';
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

/** A delivery without an answer, or with one that says nothing of its entries. */
class DeliveryFailed extends Error {
  /** @param isCausedByEntries whether the entries caused it, so that the others may be accepted without them */
  constructor(
    cause: unknown,
    readonly isCausedByEntries: boolean,
  ) {
    super('delivery failed', { cause });
  }
}

/**
 * Sends claimed entries to their consumer, and marks those that it committed as sent. An entry that it
 * refuses, or fails on, backs off and becomes a dead letter after 20 times; of `each` it stops its key: later
 * entries of the key are not sent, and do not count as rejected. Entries that it did not try are due again soon.
 *
 * @returns whether the consumer was reached; if not, the entries that were not sent are due again in a second,
 *   without limit
 * @throws what the database of this process reports; the entries may then be sent again
 */
export async function deliver(
  parts: DeliveryParts,
  lane: Lane,
  claimed: Claimed,
): Promise<boolean> {
  const rows = new ClaimedRows({ em: parts.em.fork(), logger: parts.logger }, lane, claimed);
  const isOrdered = lane.delivery === 'each';
  const stoppedKeys = new Set<string>();
  let unreachable: DeliveryFailed | undefined;
  let isFirst = true;

  async function post(part: readonly DueEntry[]): Promise<void> {
    // Nothing is sent after a delivery whose outcome is unknown: the order of a key would be lost.
    if (unreachable !== undefined) throw unreachable;
    if (!isFirst) await rows.extend();
    isFirst = false;
    const held = part.filter(rows.isHeld);
    const open = held.filter(({ key }) => !stoppedKeys.has(key));
    const { accepted, refused } = await postEvents(parts, lane, open);
    failPoint('event posted, not marked as sent');
    const accepts = new Set(accepted);
    const refuses = new Set(refused);
    if (isOrdered) for (const { id, key } of open) if (!accepts.has(id)) stoppedKeys.add(key);
    await rows.markSent(open.filter(({ id }) => accepts.has(id)));
    await rows.backOff(open.filter(({ id }) => refuses.has(id)));
    await rows.release(held.filter(rows.isHeld), stoppedRetryMs);
  }

  await bisect(
    claimed.entries,
    post,
    (error) => !(error instanceof DeliveryFailed) || !error.isCausedByEntries,
    async (part, error) => {
      if (!(error instanceof DeliveryFailed)) {
        await rows.releaseAll(unreachableRetryMs).catch(() => {});
        throw error;
      }
      const about = { err: error.cause, lane: laneName(lane), entries: part.length };
      if (error !== unreachable) parts.logger.warn(about, 'outbox delivery failed');
      if (error.isCausedByEntries) {
        if (isOrdered) for (const { key } of part) stoppedKeys.add(key);
        return rows.backOff(part);
      }
      unreachable = error;
      return rows.release(part, unreachableRetryMs);
    },
  );
  return unreachable === undefined;
}

/**
 * Whether the entries caused the failure. Otherwise the consumer accepts nothing at the moment: it is
 * unreachable, or does not know this process or this operation yet.
 */
function isCausedByEntries(error: unknown): boolean {
  const code = error instanceof DomainError ? error.extensions.code : undefined;
  if (code === 'BAD_USER_INPUT') return true;
  return error instanceof UpstreamFault && error.code === 'INTERNAL_SERVER_ERROR';
}

/** @throws DeliveryFailed without an answer, and if the consumer tried none of several entries in its time */
async function postEvents(
  { consumers }: DeliveryParts,
  { consumer }: Lane,
  entries: readonly DueEntry[],
): Promise<DeliveryOutcome> {
  if (entries.length === 0) return { accepted: [], refused: [] };
  const client = consumers[consumer];
  if (!client) throw new Error(`unknown consumer: ${consumer}`);
  const events = entries.map(({ id, topic, key, version, payload }) => {
    return { id, topic, key, version, payload };
  });
  const options = { timeoutMs: deliveryTimeoutMs, repeatable: true };
  const outcome = await client
    .call(deliveryTo(consumer), { events }, options)
    .catch((error: unknown) => {
      throw new DeliveryFailed(error, isCausedByEntries(error));
    });
  if (entries.length > 1 && outcome.accepted.length + outcome.refused.length === 0) {
    throw new DeliveryFailed(new Error('none of the events was tried'), true);
  }
  return outcome;
}
