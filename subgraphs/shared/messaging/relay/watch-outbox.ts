import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../database/sql.js';
import { gaugeOf, type Registry } from '../../observability/metrics.js';
import { scanAges, scanStart } from '../../runtime/queue-mark.js';
import { type Lane, lanesOf, queueOf, unfinishedSql } from './lane.js';

interface Watched {
  readonly em: EntityManager;
  readonly registry: Registry;
}

/** Rows that a gauge reads at most of a lane; one more says that there are more. */
const backlogMax = 100_001;
const deadLettersMax = 10_001;
const oldestDueMax = 1000;
const oldestWaitingMax = 10_000;

/** Exposes the metrics of the alerts: lag, backlog and dead letters, and the marks of all queues. */
export function watchOutbox({ em, registry }: Watched, consumers: readonly string[]): void {
  const lanes = lanesOf(consumers);
  const lag = {
    name: 'holdfast_outbox_oldest_seconds',
    help: 'Age of the oldest undelivered event.',
    label: ['consumer', 'delivery'],
  };
  const ofLanes = (read: (em: EntityManager, lane: Lane) => Promise<number>) => () =>
    Promise.all(
      lanes.map(async (lane) => ({ labels: { ...lane }, value: await read(em.fork(), lane) })),
    );
  gaugeOf(registry, lag, ofLanes(oldestSeconds));
  const backlog = {
    name: 'holdfast_outbox_backlog',
    help: `Undelivered events, without dead letters; ${backlogMax} if there are more.`,
    label: ['consumer', 'delivery'],
  };
  gaugeOf(registry, backlog, ofLanes(countUnfinished));
  const dead = {
    name: 'holdfast_outbox_dead_letters',
    help: `Events that were refused permanently; ${deadLettersMax} if there are more. Each needs attention.`,
    label: 'consumer',
  };
  gaugeOf(registry, dead, async () => {
    const counts = await Promise.all(consumers.map((name) => countDead(em.fork(), name)));
    return Object.fromEntries(consumers.map((name, n) => [name, counts[n] as number]));
  });
  const scan = {
    name: 'holdfast_queue_scan_age_seconds',
    help: 'Time since rows before the mark of a queue were last looked for; normally 300 at most.',
    label: 'queue',
  };
  gaugeOf(registry, scan, () => scanAges(em.fork()));
}

/** By outbox_due: of those that wait for their turn the first, and those that wait for a retry. */
async function oldestSeconds(em: EntityManager, lane: Lane): Promise<number> {
  const [row] = await sql<{ age: number }>(
    em,
    `select greatest(0, coalesce(extract(epoch from now() - min(created_at)), 0))::float8 as age
     from (
       (select created_at from outbox where ${unfinishedSql(lane)}
          and next_attempt_at between $1 and now() order by next_attempt_at limit ${oldestDueMax})
       union all
       (select created_at from outbox where ${unfinishedSql(lane)}
          and next_attempt_at > now() order by next_attempt_at limit ${oldestWaitingMax})) as oldest`,
    [await scanStart(em, queueOf(lane))],
  );
  return row?.age ?? 0;
}

/** By outbox_due. */
async function countUnfinished(em: EntityManager, lane: Lane): Promise<number> {
  const [row] = await sql<{ count: number }>(
    em,
    `select count(*)::int as count from (
       select from outbox where ${unfinishedSql(lane)} and next_attempt_at >= $1
       limit ${backlogMax}) as backlog`,
    [await scanStart(em, queueOf(lane))],
  );
  return row?.count ?? 0;
}

/** By outbox_dead. */
async function countDead(em: EntityManager, consumer: string): Promise<number> {
  const [row] = await sql<{ count: number }>(
    em,
    `select count(*)::int as count from (
       select from outbox where consumer = $1 and sent_at is null and dead_at is not null
       limit ${deadLettersMax}) as dead`,
    [consumer],
  );
  return row?.count ?? 0;
}
