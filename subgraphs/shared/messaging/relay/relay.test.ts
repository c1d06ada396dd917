import { jest } from '@jest/globals';
import pg from 'pg';
import {
  consumerOf,
  ended,
  internalError,
  openOutbox,
  type TestOutbox,
  unreachable,
} from '../../../../tests/harness/outbox.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { eventually } from '../../../../tests/harness/wait.js';
import { databaseSchema } from '../../../warehouse/mikro-orm.config.js';
import { DomainError, UpstreamFault } from '../../errors.js';
import type { ServiceClient } from '../../http/service-client.js';
import { Registry } from '../../observability/metrics.js';
import { startPruning } from '../../runtime/start-pruning.js';
import { enqueue } from '../outbox.js';
import { relayOnce, startRelay } from './start-relay.js';

/** A consumer that accepts what `accepts` returns, and records the batches. */
function consumer(accepts: (ids: string[]) => string[]) {
  const batches: string[][] = [];
  const client = consumerOf(async (events) => {
    const ids = events.map(({ id }) => id);
    batches.push(ids);
    return accepts(ids);
  });
  return { client, batches, delivered: () => batches.flat() };
}

describe('the outbox and its relay', () => {
  let outbox: TestOutbox;
  beforeAll(async () => {
    outbox = await openOutbox();
  });
  afterEach(() => outbox.empty());
  afterAll(() => outbox.close());

  const write = (count: number) => outbox.write(...Array.from({ length: count }, () => ended()));
  const rows = () =>
    outbox.query<{ sent: boolean; dead: boolean; rejections: number; due: boolean }>(
      `select sent_at is not null as sent, dead_at is not null as dead, rejections,
         next_attempt_at <= updated_at as due from outbox order by id`,
    );
  const options = (client: ServiceClient) => outbox.parts({ order: client });

  const listeners = () =>
    outbox.query<{ pid: number }>(
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
    const failing = outbox.orm.em.fork().transactional(async (em) => {
      await enqueue(em, [ended()]);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await relayOnce(options(client));
    expect(delivered()).toEqual([]);
  });

  it('delivers each entry once while two relays run', async () => {
    const { client, delivered } = consumer((ids) => ids);
    await write(150);
    await outbox.orm.em.fork().transactional(async (em) => {
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
    await outbox.query(`update outbox set sent_at = now() - interval '2 days'`);
    const { client, delivered } = consumer((ids) => ids);
    const locker = new pg.Client({ connectionString: outbox.url });
    await locker.connect();
    await locker.query('begin');
    await locker.query('select id from outbox limit 1 for update');
    try {
      const relay = startRelay(options(client));
      const registry = new Registry();
      const pruning = startPruning({
        em: outbox.orm.em,
        databaseSchema,
        logger,
        registry,
        everyMs: 20,
      });
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
    await outbox.query('select pg_terminate_backend($1)', [first?.pid]);
    await eventually(listeners, (rows) => rows.length === 1 && rows[0]?.pid !== first?.pid);
    // As another process does, of which no commit wakes this relay.
    const { consumer: to, topic, key, version, payload } = ended();
    await outbox.query(
      `insert into outbox (id, consumer, topic, key, version, payload)
       values (uuidv7(), $1, $2, $3, $4, $5)`,
      [to, topic, key, version, payload],
    );
    await outbox.query(`select pg_notify('outbox', 'order')`);
    await eventually(
      async () => delivered().length,
      (count) => count === 1,
    );
    await relay.stop();
  });

  it('retries entries for an unreachable consumer, without counting a rejection', async () => {
    const { client } = consumer(() => {
      throw unreachable();
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
      await outbox.query('update outbox set next_attempt_at = now()');
      await relayOnce(options(client));
    }
    expect((await rows()).filter(({ dead }) => dead)).toMatchObject([
      { sent: false, rejections: 20 },
    ]);
    await outbox.query('update outbox set next_attempt_at = now()');
    expect(await relayOnce(options(client))).toBe(0);
  });

  it('delivers the others of a batch in which one entry makes the consumer fail', async () => {
    await write(7);
    const [poison] = await outbox.query<{ id: string }>('select id from outbox limit 1');
    const { client } = consumer((ids) => {
      if (ids.includes(poison?.id as string)) throw internalError();
      return ids;
    });
    await relayOnce(options(client));
    const unsent = async () => (await rows()).filter(({ sent }) => !sent);
    expect(await unsent()).toEqual([{ sent: false, dead: false, rejections: 1, due: false }]);
    for (let n = 0; n < 19; n++) {
      await outbox.query('update outbox set next_attempt_at = now()');
      await relayOnce(options(client));
    }
    expect(await unsent()).toMatchObject([{ dead: true, rejections: 20 }]);
  });

  it('counts no rejection of events that the consumer did not try', async () => {
    const { client } = consumer(() => []);
    const busy = consumerOf(async ([first]) => {
      return { accepted: [first?.id as string], refused: [] };
    });
    await write(3);
    await relayOnce(options(busy));
    const waiting = { sent: false, dead: false, rejections: 0, due: false };
    expect((await rows()).filter(({ sent }) => !sent)).toEqual([waiting, waiting]);
    await outbox.allDue();
    await relayOnce(options(client));
    expect((await rows()).filter(({ rejections }) => rejections === 1)).toHaveLength(2);
  });

  it('sends fewer events at once if the consumer tries none of them in its time', async () => {
    const slow = consumerOf(async (events) => {
      const ids = events.map(({ id }) => id);
      return { accepted: ids.length > 2 ? [] : ids, refused: [] };
    });
    await write(7);
    await relayOnce(options(slow));
    expect((await rows()).filter(({ sent }) => !sent)).toEqual([]);
  });

  it('takes a failure of its own database for no failure of the consumer', async () => {
    const warn = jest.spyOn(logger, 'warn');
    const { client, batches } = consumer((ids) => ids);
    await write(2);
    // As if PostgreSQL were out of memory.
    await outbox.query(`create function fail() returns trigger language plpgsql as
      $$ begin raise exception 'not now' using errcode = '53200'; end $$`);
    await outbox.query(
      `create trigger fail before update of sent_at on outbox execute function fail()`,
    );
    const relaying = relayOnce(options(client));
    await expect(relaying).rejects.toThrow('not now');
    await outbox.query('drop function fail cascade');
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
    // Those that the consumer has accepted are sent again, in a second.
    const [row] = await outbox.query(
      `select bool_and(next_attempt_at - updated_at = interval '1 s') as released from outbox`,
    );
    expect(row).toEqual({ released: true });
    await outbox.allDue();
    await relayOnce(options(client));
    expect(batches.map(({ length }) => length)).toEqual([2, 2]);
    expect((await rows()).every(({ sent, rejections }) => sent && rejections === 0)).toBe(true);
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
