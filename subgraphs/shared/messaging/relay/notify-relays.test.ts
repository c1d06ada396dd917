import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { event } from '../../../contracts/events.js';
import { databaseSchema } from '../../../warehouse/mikro-orm.config.js';
import { connect } from '../../database/connect.js';
import { sql } from '../../database/sql.js';
import type { ServiceClient } from '../../http/service-client.js';
import { newId } from '../../ids.js';
import { Registry } from '../../observability/metrics.js';
import { enqueue } from '../outbox.js';
import { notifyRelays } from './notify-relays.js';
import { startRelay } from './start-relay.js';

const ended = () =>
  event('warehouse.reservation.ended', {
    ...{ orderId: newId(), state: 'EXPIRED', reason: 'PAYMENT_TIMEOUT' },
  });

describe('relays of several processes', () => {
  let database: { drop(): Promise<void> };
  let url: string;
  let listener: pg.Client;
  const heard: Array<{ processId: number; payload?: string | undefined }> = [];
  beforeAll(async () => {
    const made = await createTestDatabases(['warehouse']);
    database = made;
    url = made.urls.warehouse;
    listener = new pg.Client({ connectionString: url });
    await listener.connect();
    await listener.query('listen outbox');
    listener.on('notification', ({ processId, payload }) => heard.push({ processId, payload }));
  });
  afterEach(async () => {
    // Connections of relays end, and their last notifications arrive, a moment after they are stopped.
    await relaysListening(0);
    await flush();
    heard.length = 0;
    await listener.query('delete from outbox');
  });
  afterAll(async () => {
    await listener.end();
    await database.drop();
  });

  /** A process with a database pool and a relay that only notifications and its own commits wake. */
  async function startProcess(call: ServiceClient['call']) {
    const orm = await connect({ name: 'test', url, poolMax: 4 }, databaseSchema);
    const client: ServiceClient = { call, callEach: async () => [], close: async () => {} };
    const parts = { em: orm.em, databaseUrl: url, registry: new Registry(), logger };
    const relay = startRelay({ ...parts, consumers: { order: client }, pollMs: 600_000 });
    return {
      orm,
      async stop() {
        await relay.stop();
        await orm.close();
      },
    };
  }
  const relaysListening = (count: number) =>
    eventually(
      async () => {
        const { rows } = await listener.query<{ count: number }>(
          `select count(*)::int as count from pg_stat_activity
           where datname = current_database() and application_name = 'listen:outbox'
             and query like 'listen%' and state = 'idle'`,
        );
        return rows[0]?.count;
      },
      (listening) => listening === count,
    );
  /** After it, all notifications that were sent before have arrived. */
  const flush = async () => {
    await listener.query(`select pg_notify('outbox', 'flush')`);
    await eventually(
      async () => heard.at(-1)?.payload,
      (payload) => payload === 'flush',
    );
    heard.pop();
  };

  it('help with events that the process which committed them could not deliver at once', async () => {
    let finish = () => {};
    const answer = new Promise<never>((_, reject) => {
      finish = () => reject(new Error('gone'));
    });
    answer.catch(() => {});
    let stuck = 0;
    const first = await startProcess(() => {
      stuck += 1;
      return answer;
    });
    const delivered: string[] = [];
    const second = await startProcess(async (call, variables) => {
      const { events } = variables as unknown as { events: { id: string }[] };
      delivered.push(...events.map(({ id }) => id));
      return call.answer.parse(events.map(({ id }) => id));
    });
    await relaysListening(2);
    await enqueue(first.orm.em.fork(), [ended()]);
    await eventually(
      async () => stuck,
      (count) => count === 1,
    );
    await enqueue(first.orm.em.fork(), [ended(), ended()]);
    await eventually(
      async () => delivered.length,
      (count) => count === 2,
    );
    expect(stuck).toBe(1);
    finish();
    await Promise.all([first.stop(), second.stop()]);
  });

  it('are not notified by the transaction that writes an event', async () => {
    const orm = await connect({ name: 'test', url, poolMax: 2 }, databaseSchema);
    await enqueue(orm.em.fork(), [ended()]);
    await orm.em.fork().transactional((em) => enqueue(em, [ended()]));
    await flush();
    expect(heard).toEqual([]);
    const rows = await sql(orm.em.fork(), 'select from outbox');
    expect(rows).toHaveLength(2);
    await orm.close();
  });

  it('are notified once of what was committed within 50 ms, for consumers that are still busy', async () => {
    const notified: string[] = [];
    const busy = new Set(['order', 'product']);
    const relays = notifyRelays(url, {
      onNotified: (consumers) => notified.push(...consumers),
      isBusy: (consumer) => busy.has(consumer),
    });
    await relaysListening(1);
    for (let n = 0; n < 500; n++) relays.notify(['order', 'shop', n % 2 ? 'product' : 'order']);
    await eventually(
      async () => heard.length,
      (count) => count > 0,
    );
    await flush();
    expect(heard.map(({ payload }) => payload)).toEqual(['order,product']);
    // Not its own notification, but those of others.
    await listener.query(`select pg_notify('outbox', 'product')`);
    await eventually(
      async () => notified.filter((each) => each !== 'flush'),
      (all) => all.length > 0,
    );
    expect(notified.filter((each) => each !== 'flush')).toEqual(['product']);
    await relays.stop();
  });
});
