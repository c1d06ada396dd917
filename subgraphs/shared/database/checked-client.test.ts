import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { type Before, startFakePooler } from '../../../tests/harness/fake-pooler.js';
import { eventually } from '../../../tests/harness/wait.js';
import { databaseSchema } from '../../user/mikro-orm.config.js';
import { connect, disconnect } from './connect.js';
import { withDedicatedConnection } from './dedicated-connection.js';
import { isDatabaseUnavailable } from './errors.js';
import { connectForReading, disconnectAll } from './replicas.js';
import { migrate } from './run-migrations.js';
import { sql } from './sql.js';
import { UnusableServerError } from './unusable-server.js';

const tooOld =
  /^The server [\d.:]+ runs (PostgreSQL|a PostgreSQL before 17).*; PostgreSQL 17 or later is required\.$/;
const dropped = (parameters: string) =>
  new RegExp(
    `^PostgreSQL at [\\d.:]+ does not get the startup parameters \\(${parameters}\\); connect to it`,
  );
const openConnections = `select from pg_stat_activity
  where datname = current_database() and application_name = 'user'`;
const allLimits =
  'statement_timeout, lock_timeout, idle_in_transaction_session_timeout, transaction_timeout';

describe('a connection to a server that cannot serve', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'user'>>>;
  let admin: pg.Client;
  beforeAll(async () => {
    databases = await createTestDatabases(['user']);
    admin = new pg.Client({ connectionString: databases.urls.user });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await databases.drop();
  });

  async function through<T>(before: Before, work: (url: string) => Promise<T>): Promise<T> {
    const pooler = await startFakePooler(databases.urls.user, before);
    try {
      return await work(pooler.url);
    } finally {
      await pooler.stop();
    }
  }

  const poolOfService = async (url: string) => {
    const reported: UnusableServerError[] = [];
    const onUnusable = (error: UnusableServerError) => reported.push(error);
    const settings = { name: 'user', url, poolMax: 1, lockTimeoutMs: 300, onUnusable };
    const orm = await connect(settings, databaseSchema);
    try {
      return await sql(orm.em.fork(), 'select 1');
    } catch (error) {
      expect(reported).toEqual([error]);
      throw error;
    } finally {
      await disconnect(orm);
    }
  };
  const migration = (url: string) => migrate({ name: 'user', url, poolMax: 1 }, databaseSchema);
  const ownConnection = (url: string) =>
    withDedicatedConnection({ name: 'import', url, transactionMaxMs: 30_000 }, (client) =>
      client.query('select 1'),
    );

  it.each([
    ['a service', 'is PostgreSQL 15', poolOfService, tooOld],
    ['a migration', 'is PostgreSQL 15', migration, tooOld],
    ['a long transaction', 'is PostgreSQL 15', ownConnection, tooOld],
    ['a service', 'refuses parameters', poolOfService, dropped('\\w+')],
    ['a migration', 'refuses parameters', migration, dropped('lock_timeout')],
    ['a long transaction', 'refuses parameters', ownConnection, dropped('\\w+')],
    ['a service', 'drops parameters', poolOfService, dropped(allLimits)],
    ['a migration', 'drops parameters', migration, dropped('lock_timeout')],
    ['a long transaction', 'drops parameters', ownConnection, dropped('statement_timeout, .*')],
  ] as const)(
    'is refused with one sentence: %s, where it %s',
    async (_, before, work, sentence) => {
      const refusal = through(before, (url) => work(url) as Promise<unknown>);
      await expect(refusal).rejects.toThrow(UnusableServerError);
      await expect(refusal).rejects.toThrow(sentence);
    },
  );

  it('has our limits, whatever the address says, and its other options', async () => {
    const url = new URL(databases.urls.user);
    for (const name of allLimits.split(', ')) url.searchParams.set(name, '7000');
    const options = ['-c statement_timeout=0 -c transaction_timeout=0', '-c search_path=elsewhere'];
    url.searchParams.set('options', options.join(' '));
    const settings = { name: 'user', poolMax: 1, lockTimeoutMs: 300 };
    const primary = await connect({ ...settings, url: databases.urls.user }, databaseSchema);
    const reads = await connectForReading(
      primary,
      { ...settings, url: databases.urls.user },
      [url.href],
      databaseSchema,
    );
    const service = await connect({ ...settings, url: url.href }, databaseSchema);
    const shown = `select ${[
      ...allLimits.split(', '),
      'search_path',
      'default_transaction_read_only',
    ]
      .map((name) => `current_setting('${name}') as ${name}`)
      .join()}`;
    const ours = {
      ...{ statement_timeout: '4s', lock_timeout: '300ms', transaction_timeout: '4500ms' },
      ...{ idle_in_transaction_session_timeout: '4s', search_path: 'elsewhere' },
    };
    expect(await sql(service.em.fork(), shown)).toEqual([
      { ...ours, default_transaction_read_only: 'off' },
    ]);
    expect(await sql(reads.em.fork(), shown)).toEqual([
      { ...ours, default_transaction_read_only: 'on' },
    ]);
    await disconnect(service);
    await disconnectAll(primary, reads);
  });

  it('has our limits also by an address without a host, whose host is a parameter', async () => {
    const url = new URL(databases.urls.user);
    url.searchParams.set('host', url.hostname);
    url.searchParams.set('port', url.port);
    url.searchParams.set('statement_timeout', '7000');
    url.searchParams.set('options', '-c transaction_timeout=0 -c search_path=elsewhere');
    const address = url.href.replace(url.host, '');
    const settings = { name: 'import', url: address, transactionMaxMs: 30_000 };
    const { rows } = await withDedicatedConnection(settings, (client) =>
      client.query(`select current_setting('statement_timeout') as statement,
        current_setting('transaction_timeout') as transaction,
        current_setting('search_path') as path`),
    );
    expect(rows).toEqual([{ statement: '30s', transaction: '30s', path: 'elsewhere' }]);
  });

  it('is none if something before PostgreSQL passes all parameters on', async () => {
    for (const work of [poolOfService, migration, ownConnection]) {
      await expect(
        through('forwards', (url) => work(url) as Promise<unknown>),
      ).resolves.not.toThrow();
    }
  });

  it.each([
    ['cuts', /Connection terminated/],
    ['is silent', /timeout/i],
  ] as const)(
    'is no reason to end the process if it %s: the statement fails',
    async (before, reason) => {
      const pooler = await startFakePooler(databases.urls.user, before);
      const reported: UnusableServerError[] = [];
      const onUnusable = (error: UnusableServerError) => reported.push(error);
      const settings = { name: 'user', url: pooler.url, poolMax: 2, onUnusable };
      const orm = await connect(settings, databaseSchema);
      for (let n = 0; n < 2; n++) {
        const failed = sql(orm.em.fork(), 'select 1').catch((error: unknown) => error);
        expect(await failed).toMatchObject({ message: expect.stringMatching(reason) });
        expect(isDatabaseUnavailable(await failed)).toBe(true);
      }
      await eventually(
        () => admin.query(openConnections),
        ({ rowCount }) => rowCount === 0,
      );
      pooler.become('forwards');
      expect(await sql(orm.em.fork(), 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(reported).toEqual([]);
      await disconnect(orm);
      await pooler.stop();
    },
  );

  it('leaves no connection of the pool behind: each further one is refused as well', async () => {
    await through('drops parameters', async (url) => {
      const orm = await connect({ name: 'user', url, poolMax: 2 }, databaseSchema);
      for (let n = 0; n < 5; n++) {
        await expect(sql(orm.em.fork(), 'select 1')).rejects.toThrow(dropped('.*'));
      }
      await eventually(
        () => admin.query(openConnections),
        ({ rowCount }) => rowCount === 0,
      );
      await disconnect(orm);
    });
  });
});
