import type { EntityManager } from '@mikro-orm/postgresql';
import { deliveryTo } from '../../contracts/events.js';
import { bisect } from '../batching/bisect.js';
import { listenTo } from '../database/listen.js';
import { sql } from '../database/sql.js';
import { DomainError, UpstreamFault } from '../errors.js';
import type { ServiceClient } from '../http/service-client.js';
import type { Logger } from '../observability/logger.js';
import { gaugeOf, type Registry } from '../observability/metrics.js';
import { telemetry } from '../observability/telemetry/telemetry.js';
import { failPoint } from '../resilience/fail-point.js';
import { claimDue, type JobQueue, oldestJobSeconds, retryAtSql } from '../runtime/due-jobs.js';
import { scanAges } from '../runtime/queue-mark.js';
import { startWorker } from '../runtime/worker.js';
import { deliveryMax } from './inbox.js';

interface DueEntry {
  id: string;
  consumer: string;
  topic: string;
  key: string;
  version: number;
  payload: object;
}

export interface RelayOptions {
  /** a manager to fork from, one fork for each statement */
  readonly em: EntityManager;
  readonly databaseUrl: string;
  readonly consumers: Readonly<Record<string, ServiceClient>>;
  readonly logger: Logger;
  readonly registry: Registry;
  /** interval of polling without a notification */
  readonly pollMs?: number;
}

const pollDefaultMs = 500;
const leaseMs = 15_000;
const deliveryTimeoutMs = 10_000;
const unreachableRetryMs = 1000;
const backoffFirstMs = 100;
const backoffMaxMs = 60_000;
const rejectionsMax = 20;

// Imports of stock files, and the activation of warehouses.
const transactionMaxMs = 30_000;

export const outboxJobs: JobQueue = {
  table: 'outbox',
  dueAt: 'next_attempt_at',
  unfinished: 'sent_at is null and dead_at is null',
  transactionMaxMs,
};
const outboxClaim = {
  ...outboxJobs,
  batchMax: deliveryMax,
  set: `next_attempt_at = now() + ${leaseMs} * interval '1 ms', updated_at = now()`,
  returning: 'job.id, job.consumer, job.topic, job.key, job.version, job.payload',
};

/**
 * Delivers the entries of the outbox to their consumers until stopped. NOTIFY wakes it; polling is the
 * fallback. Delivery to an unreachable consumer is retried without limit; an entry that its consumer
 * refuses, or fails on, backs off and becomes a dead letter after `rejectionsMax` times.
 */
export function startRelay(options: RelayOptions): { stop(): Promise<void> } {
  watchOutbox(options);
  const pollMs = options.pollMs ?? pollDefaultMs;
  const relay = startWorker('outbox relay', pollMs, options.logger, async (isStopping) => {
    while (!isStopping() && (await relayOnce(options)) === deliveryMax);
  });
  relay.wake();
  const listener = listenTo(options.databaseUrl, 'outbox', relay.wake);
  return {
    async stop() {
      await Promise.all([relay.stop(), listener.stop()]);
    },
  };
}

/** Exposes the metrics of the alerts: age of the oldest entry, dead letters, and the marks of all queues. */
function watchOutbox({ em, registry }: RelayOptions): void {
  const lag = {
    name: 'holdfast_outbox_oldest_seconds',
    help: 'Age of the oldest undelivered event.',
  };
  gaugeOf(registry, lag, () => oldestJobSeconds(em.fork(), outboxJobs));
  const scan = {
    name: 'holdfast_queue_scan_age_seconds',
    help: 'Time since rows before the mark of a queue were last looked for; normally 300 at most.',
    label: 'queue',
  };
  gaugeOf(registry, scan, () => scanAges(em.fork()));
  const dead = {
    name: 'holdfast_outbox_dead_letters',
    help: 'Events that were refused permanently. Each needs attention.',
  };
  gaugeOf(registry, dead, async () => {
    const [row] = await sql<{ count: string }>(
      em.fork(),
      'select count(*) from outbox where dead_at is not null',
    );
    return Number(row?.count);
  });
}

/** Delivers one batch of due entries. @returns the number of entries in it */
export async function relayOnce(options: RelayOptions): Promise<number> {
  const due = await claimDue<DueEntry>(options.em, outboxClaim);
  const byConsumer = Map.groupBy(due, (entry) => entry.consumer);
  await Promise.all(
    [...byConsumer].map(([consumer, entries]) => {
      const work = () => deliver(options, consumer, entries);
      return telemetry()?.inSpan(`outbox to ${consumer}`, work) ?? work();
    }),
  );
  return due.length;
}

function deliver(options: RelayOptions, consumer: string, entries: DueEntry[]) {
  const client = options.consumers[consumer];
  const em = options.em.fork();
  const post = async (part: readonly DueEntry[]) => {
    if (!client) throw new Error(`unknown consumer: ${consumer}`);
    const accepted = await postEvents(client, consumer, part);
    failPoint('event posted, not marked as sent');
    const rejected = part.filter(({ id }) => !accepted.includes(id)).map(({ id }) => id);
    await sql(
      em,
      'update outbox set sent_at = now(), updated_at = now() where id = any($1::uuid[])',
      [accepted],
    );
    if (rejected.length > 0) await backOff(options, em, rejected);
  };
  const failsForAll = (error: unknown) => !isOfEntries(error);
  return bisect(entries, post, failsForAll, async (part, error) => {
    options.logger.warn({ err: error, consumer, entries: part.length }, 'outbox delivery failed');
    const ids = part.map(({ id }) => id);
    if (isOfEntries(error)) return backOff(options, em, ids);
    await sql(
      em,
      `update outbox set next_attempt_at = now() + $2 * interval '1 ms', updated_at = now()
       where id = any($1::uuid[])`,
      [ids, unreachableRetryMs],
    );
  });
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
function postEvents(client: ServiceClient, consumer: string, entries: readonly DueEntry[]) {
  const events = entries.map(({ id, topic, key, version, payload }) => {
    return { id, topic, key, version, payload: JSON.stringify(payload) };
  });
  const options = { timeoutMs: deliveryTimeoutMs, repeatable: true };
  return client.call(deliveryTo(consumer), { events }, options);
}

async function backOff(options: RelayOptions, em: EntityManager, ids: string[]) {
  const dead = await sql<{ id: string; dead: boolean }>(
    em,
    `update outbox set rejections = rejections + 1, updated_at = now(),
       next_attempt_at = ${retryAtSql('rejections', backoffFirstMs, backoffMaxMs)},
       dead_at = case when rejections + 1 >= $2 then now() end
     where id = any($1::uuid[]) returning id, dead_at is not null as dead`,
    [ids, rejectionsMax],
  );
  for (const { id } of dead.filter((entry) => entry.dead)) {
    options.logger.error({ outboxId: id }, 'outbox entry dead-lettered');
  }
}
