import type { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { paymentJobs, paymentQueue } from '../../subgraphs/order/payment/recover-payments.js';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { migrate } from '../../subgraphs/shared/database/run-migrations.js';
import { claim } from '../../subgraphs/shared/messaging/relay/claim.js';
import { type Lane, queueOf } from '../../subgraphs/shared/messaging/relay/lane.js';
import { claimDue } from '../../subgraphs/shared/runtime/due-jobs.js';
import { type Queue, refreshMark } from '../../subgraphs/shared/runtime/queue-mark.js';
import { readOverdue } from '../../subgraphs/warehouse/expiry/sweep-overdue.js';
import { reservationQueue } from '../../subgraphs/warehouse/reservation/reservation-queue.js';
import { openServers } from '../environment.js';
import { type CaseResult, type Check, median, type Outcome, rounded } from '../report.js';
import { type Database, measurePruning, schemas } from './pruning.js';

const deadRows = Number(process.env.BENCH_DEAD_ROWS ?? 1_000_000);
const rounds = 101;
const dueRows = 100;
const slowdownMax = 2;

/** A queue whose rows can be finished, and looked for as its worker does. */
interface Case {
  readonly name: string;
  readonly queue: Queue;
  readonly database: 'order' | 'warehouse';
  /** SQL that inserts `$1` rows that are due since `$2` seconds */
  readonly insert: string;
  /** SQL that finishes all rows that are due since `$1` seconds or less */
  readonly finish: string;
  find(orm: MikroORM): Promise<unknown[]>;
}

const claimOf =
  (jobs: Omit<Parameters<typeof claimDue>[1], 'set' | 'batchMax'>) => (orm: MikroORM) =>
    claimDue(orm.em, {
      ...jobs,
      batchMax: dueRows,
      set: `next_attempt_at = now() + interval '15 s'`,
    });
const ofEach: Lane = { consumer: 'order', delivery: 'each' };
const ofLatest: Lane = { consumer: 'product', delivery: 'latest' };
const finishEvents = `update outbox set sent_at = now()
  where sent_at is null and dead_at is null and next_attempt_at >= now() - $1 * interval '1 s'`;
const cases: readonly Case[] = [
  {
    name: 'sweeper',
    queue: reservationQueue,
    database: 'warehouse',
    insert: `insert into reservation (order_id, shop_ids, state, expires_at)
      select gen_random_uuid(), array[gen_random_uuid()], 'HELD', now() - $2 * interval '1 s' from generate_series(1, $1)`,
    finish: `update reservation set state = 'EXPIRED'
      where state = 'HELD' and expires_at >= now() - $1 * interval '1 s'`,
    find: (orm) => readOverdue({ orm }, new Set()),
  },
  {
    name: 'outbox relay, each',
    queue: queueOf(ofEach),
    database: 'warehouse',
    insert: `insert into outbox (id, consumer, topic, key, version, payload, next_attempt_at)
      select gen_random_uuid(), 'order', 'bench', n::text, 1, '{}', now() - $2 * interval '1 s'
      from generate_series(1, $1) n`,
    finish: finishEvents,
    find: async ({ em }) => (await claim(em, ofEach)).entries,
  },
  {
    name: 'outbox relay, latest',
    queue: queueOf(ofLatest),
    database: 'warehouse',
    // Each key has had many events.
    insert: `insert into outbox
        (id, consumer, delivery, topic, key, version, payload, next_attempt_at)
      select gen_random_uuid(), 'product', 'latest', 'bench', (n % 1000)::text, 1, '{}',
        now() - $2 * interval '1 s' from generate_series(1, $1) n`,
    finish: finishEvents,
    find: async ({ em }) => (await claim(em, ofLatest)).entries,
  },
  {
    name: 'due payments',
    queue: paymentQueue,
    database: 'order',
    insert: `insert into payment (id, order_id, customer_id, amount, provider, next_attempt_at)
      select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'bench',
        now() - $2 * interval '1 s' from generate_series(1, $1)`,
    finish: `update payment set next_attempt_at = null
      where next_attempt_at >= now() - $1 * interval '1 s'`,
    find: claimOf(paymentJobs(['bench'])),
  },
];

/**
 * Measures how long a worker needs to find 100 due rows: without finished rows, and with a million that an open
 * transaction keeps in the index. And how many rows a second a process prunes.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  for (const name of Object.keys(schemas) as Database[]) {
    await migrate({ name: 'bench', url: databases[name], poolMax: 1 }, schemas[name]);
  }
  /** A session without the checks of foreign keys. */
  const open = async (name: Database) => {
    const url = new URL(postgres.url);
    url.pathname = new URL(databases[name]).pathname;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query('set session_replication_role = replica');
    return client;
  };
  try {
    const results: CaseResult[] = [];
    const checks: Check[] = [];
    for (const each of cases) {
      const url = databases[each.database];
      const orm = await connect({ name: 'bench', url, poolMax: 4 }, schemas[each.database]);
      const [client, reader] = [await open(each.database), await open(each.database)];
      const outcome = await measureScan(each, orm, client, reader);
      results.push(outcome.result);
      checks.push(outcome.check);
      progress(JSON.stringify(outcome.result));
      await Promise.all([client.end(), reader.end(), orm.close()]);
    }
    const pruning = await measurePruning(databases, open, progress);
    return {
      results: [...results, ...pruning.results],
      checks: [...checks, ...pruning.checks],
    };
  } finally {
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

async function measureScan(each: Case, orm: MikroORM, client: pg.Client, reader: pg.Client) {
  const { name, queue } = each;
  // What is measured is the look, not what a million writes leave to do.
  await client.query(`alter table ${queue.table} set (autovacuum_enabled = off)`);
  await client.query('vacuum analyze');
  await client.query('checkpoint');
  await refreshMark(orm.em, queue);
  const withoutMs = await medianMs(each, orm, client);
  await reader.query('begin isolation level repeatable read');
  await reader.query('select 1');
  for (let left = deadRows, secondsAgo = 3600; left > 0; left -= 100_000, secondsAgo -= 100) {
    await client.query(each.insert, [Math.min(left, 100_000), secondsAgo]);
    await client.query(each.finish, [secondsAgo + 60]);
  }
  await client.query(`update queue_mark set mark = '-infinity'`);
  const fromTheBeginning = `select 1 from ${queue.table}
    where ${queue.unfinished} and ${queue.dueAt} <= now() order by ${queue.dueAt} limit ${dueRows}`;
  await client.query(fromTheBeginning);
  const startedAt = performance.now();
  await client.query(fromTheBeginning);
  const unmarkedMs = performance.now() - startedAt;
  await refreshMark(orm.em, queue); // as every process does every 10 s
  const fresh = await connect(
    { name: 'bench', url: orm.config.get('clientUrl') as string, poolMax: 4 },
    schemas[each.database],
  );
  await client.query('checkpoint');
  const withMs = await medianMs(each, fresh, client);
  await fresh.close();
  await reader.query('commit');
  const times = rounded(withMs / withoutMs, 2);
  const result: CaseResult = {
    case: `${name}: ${dueRows} due rows`,
    deadRows,
    withoutDeadMs: rounded(withoutMs, 2),
    withDeadMs: rounded(withMs, 2),
    withoutMarkMs: rounded(unmarkedMs),
  };
  const check: Check = {
    name: `${name}: with ${deadRows} dead rows behind an open transaction, times as long`,
    value: times,
    target: `< ${slowdownMax}`,
    pass: times < slowdownMax,
  };
  return { result, check };
}

async function medianMs(each: Case, orm: MikroORM, client: pg.Client): Promise<number> {
  const times: number[] = [];
  await each.find(orm); // reads the mark
  for (let round = 0; round < rounds; round++) {
    await client.query(each.insert, [dueRows, 3]);
    const startedAt = performance.now();
    const found = await each.find(orm);
    times.push(performance.now() - startedAt);
    if (found.length !== dueRows) throw new Error(`${each.name}: found ${found.length} rows`);
    await client.query(each.finish, [60]);
  }
  return median(times);
}
