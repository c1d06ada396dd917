import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { event } from '../../../contracts/events.js';
import { databaseSchema } from '../../../warehouse/mikro-orm.config.js';
import { connect } from '../../database/connect.js';
import { sql } from '../../database/sql.js';
import { DomainError, UpstreamFault } from '../../errors.js';
import type { ServiceClient } from '../../http/service-client.js';
import { newId } from '../../ids.js';
import { Registry } from '../../observability/metrics.js';
import { startPruning } from '../../runtime/start-pruning.js';
import { enqueue } from '../outbox.js';
import { relayOnce, startRelay } from './start-relay.js';

const broke = new UpstreamFault('internal error', 'INTERNAL_SERVER_ERROR');

const ended = (orderId: string) =>
  event('warehouse.reservation.ended', { orderId, state: 'EXPIRED', reason: 'PAYMENT_TIMEOUT' });

/** A consumer that responds as the test says, and records the batches. */
function consumer(answer: (ids: string[]) => string[]) {
  const batches: string[][] = [];
  const client: ServiceClient = {
    callEach: async () => [],
    async call(call, variables) {
      const ids = (variables as { events: { id: string }[] }).events.map(({ id }) => id);
      batches.push(ids);
      return call.answer.parse(answer(ids));
    },
    close: async () => {},
  };
  return { client, batches, delivered: () => batches.flat() };
}

describe('the outbox and its relay', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  let databaseUrl: string;
  beforeAll(async () => {
    const made = await createTestDatabases(['warehouse']);
    database = made;
    databaseUrl = made.urls.warehouse;
    orm = await connect({ name: 'test', url: databaseUrl, poolMax: 5 }, databaseSchema);
  });
  afterEach(() => sql(orm.em.fork(), 'delete from outbox'));
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const write = (count: number) =>
    enqueue(
      orm.em.fork(),
      Array.from({ length: count }, () => ended(newId())),
    );
  const rows = () =>
    sql<{ sent: boolean; dead: boolean; rejections: number; due: boolean }>(
      orm.em.fork(),
      `select sent_at is not null as sent, dead_at is not null as dead, rejections,
         next_attempt_at <= updated_at as due from outbox order by id`,
    );
  const options = (client: ServiceClient) => {
    return {
      em: orm.em,
      databaseUrl,
      consumers: { order: client },
      registry: new Registry(),
      logger,
    };
  };

  const listeners = () =>
    sql<{ pid: number }>(
      orm.em.fork(),
      `select pid from pg_stat_activity
       where datname = current_database() and query like 'listen%' and state = 'idle'`,
    );

  it('delivers the entries of a commit at once, without waiting for a poll', async () => {
    const { client, delivered } = consumer((ids) => ids);
    await write(1);
    const relay = startRelay({ ...options(client), pollMs: 600_000 });
    // What was there is delivered; from now on a commit has to wake it, each time.
    for (const count of [1, 4, 7]) {
      await eventually(rows, (all) => all.length === count && all.every(({ sent }) => sent));
      expect(delivered()).toHaveLength(count);
      if (count < 7) await write(3);
    }
    await relay.stop();
  });

  it('delivers nothing of a transaction that was rolled back', async () => {
    const { client, delivered } = consumer((ids) => ids);
    const failing = orm.em.fork().transactional(async (em) => {
      await enqueue(em, [ended(newId())]);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await relayOnce(options(client));
    expect(delivered()).toEqual([]);
  });

  it('delivers each entry once while two relays run', async () => {
    const { client, delivered } = consumer((ids) => ids);
    await write(150);
    await orm.em.fork().transactional(async (em) => {
      // This relay has claimed its entries, and not committed yet.
      await relayOnce({ ...options(client), em: { fork: () => em } as typeof em });
      expect(delivered()).toHaveLength(100);
      await relayOnce(options(client));
    });
    expect(delivered()).toHaveLength(150);
    expect(new Set(delivered()).size).toBe(150);
  });

  it('delivers, and prunes old entries, though another session has locked some of them', async () => {
    await write(2);
    await sql(orm.em.fork(), `update outbox set sent_at = now() - interval '2 days'`);
    const { client, delivered } = consumer((ids) => ids);
    const locker = new pg.Client({ connectionString: databaseUrl });
    await locker.connect();
    await locker.query('begin');
    await locker.query('select id from outbox limit 1 for update');
    try {
      const relay = startRelay(options(client));
      const registry = new Registry();
      const pruning = startPruning({ em: orm.em, databaseSchema, logger, registry, everyMs: 20 });
      await eventually(rows, ({ length }) => length === 1);
      await write(1);
      await eventually(
        async () => delivered().length,
        (count) => count === 1,
      );
      await Promise.all([relay.stop(), pruning.stop()]);
    } finally {
      await locker.end();
    }
  });

  it('listens again after its connection is lost', async () => {
    const { client, delivered } = consumer((ids) => ids);
    const relay = startRelay({ ...options(client), pollMs: 600_000 });
    const [first] = await eventually(listeners, ({ length }) => length === 1);
    await sql(orm.em.fork(), 'select pg_terminate_backend($1)', [first?.pid]);
    await eventually(listeners, (rows) => rows.length === 1 && rows[0]?.pid !== first?.pid);
    // As another process does, of which no commit wakes this relay.
    const { consumer: to, topic, key, version, payload } = ended(newId());
    await sql(
      orm.em.fork(),
      `insert into outbox (id, consumer, topic, key, version, payload)
       values (uuidv7(), $1, $2, $3, $4, $5)`,
      [to, topic, key, version, payload],
    );
    await sql(orm.em.fork(), `select pg_notify('outbox', 'order')`);
    await eventually(
      async () => delivered().length,
      (count) => count === 1,
    );
    await relay.stop();
  });

  it('retries entries for an unreachable consumer, without counting a rejection', async () => {
    const { client } = consumer(() => {
      throw new DomainError('TRY_AGAIN', 'unreachable');
    });
    await write(1);
    await relayOnce(options(client));
    expect(await rows()).toEqual([{ sent: false, dead: false, rejections: 0, due: false }]);
  });

  it('backs off an entry that is refused, delivers the rest, and ends with a dead letter', async () => {
    let refused = '';
    const { client } = consumer((ids) => {
      refused ||= ids[0] as string;
      return ids.filter((id) => id !== refused);
    });
    await write(2);
    await relayOnce(options(client));
    const after = (await rows()).sort((a, b) => a.rejections - b.rejections);
    expect(after).toMatchObject([
      { sent: true },
      { sent: false, dead: false, rejections: 1, due: false },
    ]);
    for (let n = 0; n < 19; n++) {
      await sql(orm.em.fork(), 'update outbox set next_attempt_at = now()');
      await relayOnce(options(client));
    }
    expect((await rows()).filter(({ dead }) => dead)).toMatchObject([
      { sent: false, rejections: 20 },
    ]);
    await sql(orm.em.fork(), 'update outbox set next_attempt_at = now()');
    expect(await relayOnce(options(client))).toBe(0);
  });

  it('delivers the others of a batch in which one entry makes the consumer fail', async () => {
    await write(7);
    const [poison] = await sql<{ id: string }>(orm.em.fork(), 'select id from outbox limit 1');
    const { client } = consumer((ids) => {
      if (ids.includes(poison?.id as string)) throw broke;
      return ids;
    });
    await relayOnce(options(client));
    const unsent = async () => (await rows()).filter(({ sent }) => !sent);
    expect(await unsent()).toEqual([{ sent: false, dead: false, rejections: 1, due: false }]);
    for (let n = 0; n < 19; n++) {
      await sql(orm.em.fork(), 'update outbox set next_attempt_at = now()');
      await relayOnce(options(client));
    }
    expect(await unsent()).toMatchObject([{ dead: true, rejections: 20 }]);
  });

  it.each([
    ['does not know this process', new UpstreamFault('unknown caller', 'UNKNOWN_CALLER')],
    ['does not know the operation', new DomainError('GRAPHQL_VALIDATION_FAILED' as never, 'no')],
  ])('calls a consumer that %s once, without counting a rejection', async (_, error) => {
    const { client, batches } = consumer(() => {
      throw error;
    });
    await write(7);
    await relayOnce(options(client));
    expect(batches.map(({ length }) => length)).toEqual([7]);
    expect(await rows()).toEqual(
      Array.from({ length: 7 }, () => ({ sent: false, dead: false, rejections: 0, due: false })),
    );
  });
});
