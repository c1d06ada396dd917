import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { ended, hangingConsumer, recordingConsumer } from '../../../../tests/harness/outbox.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { databaseSchema } from '../../../warehouse/mikro-orm.config.js';
import { connect } from '../../database/connect.js';
import { sql } from '../../database/sql.js';
import type { ServiceClient } from '../../http/service-client.js';
import { newId } from '../../ids.js';
import { Registry } from '../../observability/metrics.js';
import { enqueue } from '../outbox.js';
import { notifyRelays } from './notify-relays.js';
import { startRelay } from './start-relay.js';

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
  async function startProcess(client: ServiceClient) {
    const orm = await connect({ name: 'test', url, poolMax: 4 }, databaseSchema);
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
             and query ~ '^(listen|select pg_notify)' and state = 'idle'`,
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
    const stuck = hangingConsumer();
    const first = await startProcess(stuck.client);
    await enqueue(first.orm.em.fork(), [ended()]);
    await eventually(
      async () => stuck.calls(),
      (calls) => calls === 1,
    );
    // It starts now, so that it cannot deliver what the first one is delivering.
    const other = recordingConsumer();
    const second = await startProcess(other.client);
    await relaysListening(2);
    const later = [ended(), ended()].map((each) => ({ ...each, id: newId() }));
    await enqueue(first.orm.em.fork(), later);
    const wanted = new Set(later.map(({ id }) => id));
    await eventually(
      async () => other.sent().filter(({ id }) => wanted.has(id)),
      ({ length }) => length === 2,
    );
    expect(stuck.calls()).toBe(1);
    stuck.fail();
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
