import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { newIdAt } from '../../ids.js';
import { createLogger } from '../../observability/logger.js';
import { keepPartitions, type PartitionedTable, readMonths } from './keep-partitions.js';
import { addMonths, firstDayOf, type Month, monthOf } from './month.js';
import { partitionFunctionsDdl } from './partition-ddl.js';

const logger = createLogger('test', 'silent');
const first: Month = '2024-11';
const months = (from: Month, count: number) =>
  Array.from({ length: count }, (_, n) => addMonths(from, n));

describe('monthly partitions', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'user'>>>;
  let client: pg.Client;
  let url: string;
  beforeAll(async () => {
    databases = await createTestDatabases(['user']);
    url = databases.urls.user;
    client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const statement of partitionFunctionsDdl()) await client.query(statement);
    await client.query(`create table owner (id int primary key); insert into owner values (1)`);
    await client.query(`create table last_entry (month text primary key, id uuid not null)`);
    await client.query(`create function entry_append_only_fn() returns trigger language plpgsql as
      $$ begin raise exception 'append-only'; end; $$`);
  });
  beforeEach(async () => {
    for (const { table } of (
      await client.query<{ table: string }>(
        `select relname as table from pg_class where relname ~ '^entry' and relkind in ('r', 'p')
         order by relkind`,
      )
    ).rows) {
      await client.query(`drop table if exists ${table} cascade`);
    }
    await client.query('truncate last_entry');
    await client.query(`create table entry (owner_id int not null references owner (id), id uuid,
      primary key (owner_id, id)) partition by range (id)`);
    await client.query(`create trigger append_only before update or delete on entry
      for each row execute function entry_append_only_fn()`);
    await client.query('create table entry_default partition of entry default');
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  const entries: PartitionedTable = {
    table: 'entry',
    keepMonths: 6,
    beforeDetach: (connection, partition) =>
      connection.query(
        `insert into last_entry select $1, id from ${partition} order by id desc limit 1`,
        [partition],
      ),
  };
  const waiting = `select from pg_stat_activity
    where application_name = 'partitions' and wait_event_type = 'Lock'`;
  const midMonth = (month: Month) => new Date(firstDayOf(month).getTime() + 14 * 86_400_000);
  const keep = (
    month: Month,
    table: PartitionedTable = entries,
    isStopping: () => boolean = () => false,
  ) => keepPartitions({ databaseUrl: url, logger }, [table], isStopping, midMonth(month));

  /** Inserts the first and last ids of a month, and one in between. */
  async function insertRows(month: Month): Promise<string[]> {
    const begin = firstDayOf(month).getTime();
    const end = firstDayOf(addMonths(month, 1)).getTime() - 1;
    const ids = [begin, midMonth(month).getTime(), end].map(newIdAt);
    await client.query('insert into entry select 1, unnest($1::uuid[])', [ids]);
    return ids;
  }
  const read = async (text: string) => (await client.query<{ id: string }>(text)).rows;
  const idsIn = async (table: string) =>
    (await read(`select id from ${table} order by id`)).map(({ id }) => id);
  const rowsByPartition = async () =>
    (
      await client.query(
        'select tableoid::regclass::text as name, count(*)::int from entry group by 1',
      )
    ).rows;

  it('take a year of rows in their months, three months ahead, and the oldest are detached', async () => {
    const inserted: string[] = [];
    for (const [n, month] of months(first, 12).entries()) {
      await keep(month);
      await keep(month);
      const oldest = Math.max(0, n - 6);
      expect(await readMonths(client, 'entry')).toEqual(
        months(addMonths(first, oldest), n - oldest + 4),
      );
      inserted.push(...(await insertRows(month)));
      expect(await idsIn('entry')).toEqual(inserted.slice(oldest * 3));
      expect(await idsIn('entry_default')).toEqual([]);
    }
    const attached = months(addMonths(first, 5), 7).map((month) => month.replace('-', '_'));
    expect((await rowsByPartition()).map(({ name, count }) => [name, count]).sort()).toEqual(
      attached.map((month) => [`entry_${month}`, 3]),
    );
    for (const [n, month] of months(first, 5).entries()) {
      const table = `entry_${month.replace('-', '_')}`;
      const ids = inserted.slice(n * 3, n * 3 + 3);
      expect(await idsIn(table)).toEqual(ids);
      expect(await read(`select id from last_entry where month = '${table}'`)).toEqual([
        { id: ids[2] },
      ]);
    }
  });

  it('receive the rows that came while they were missing for five months', async () => {
    await keep(first);
    const missing = months(addMonths(first, 1), 8);
    const inserted: string[] = [];
    for (const month of missing) inserted.push(...(await insertRows(month)));
    expect(await idsIn('entry_default')).toEqual(inserted.slice(9));
    await keep(addMonths(first, 8), { ...entries, keepMonths: 12 });
    expect(await idsIn('entry_default')).toEqual([]);
    expect(await idsIn('entry')).toEqual(inserted);
    expect(await readMonths(client, 'entry')).toEqual(months(first, 12));
    await expect(client.query('delete from entry_default')).resolves.toBeDefined();
    await expect(client.query('delete from entry')).rejects.toThrow('append-only');
  });

  it('leave rows that are too old, of the far future or without a time in the default partition', async () => {
    const ids = [
      newIdAt(firstDayOf('2020-01').getTime()),
      newIdAt(firstDayOf('2199-01').getTime()),
      'ffffffff-ffff-4fff-8fff-ffffffffffff',
    ];
    await client.query('insert into entry select 1, unnest($1::uuid[])', [ids]);
    await keep(first);
    expect(await idsIn('entry_default')).toEqual(ids);
    expect(await readMonths(client, 'entry')).toEqual(months(first, 4));
  });

  it('are made once by processes that run at the same time, and detached once', async () => {
    await Promise.all([keep(first), keep(first), keep(first)]);
    await insertRows(first);
    const later = addMonths(first, 7);
    await Promise.all([keep(later), keep(later), keep(later)]);
    const left = [...months(addMonths(first, 1), 3), ...months(later, 4)];
    expect(await readMonths(client, 'entry')).toEqual(left);
    expect(await read('select month from last_entry')).toHaveLength(1);
  });

  it('are detached one in a run, the oldest first', async () => {
    await keep(first);
    const later = addMonths(first, 24);
    for (const left of [3, 2, 1, 0]) {
      await keep(later);
      expect(await readMonths(client, 'entry')).toEqual([
        ...months(addMonths(first, 4 - left), left),
        ...months(later, 4),
      ]);
    }
  });

  it('are not detached again by a process that waited for the one that did it', async () => {
    await keep(first);
    await insertRows(first);
    const later = addMonths(first, 7);
    await keep(later, { ...entries, keepMonths: 12 });
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('begin; lock table entry in share update exclusive mode');
    const late = keep(later); // it has read the months, and waits for the lock
    while ((await client.query(waiting)).rowCount === 0);
    await other.query(`select detach_partition('entry', $1)`, [`${first}-01`]);
    await other.query('commit');
    await other.end();
    await late;
    expect(await readMonths(client, 'entry')).toEqual([
      ...months(addMonths(first, 1), 3),
      ...months(later, 4),
    ]);
    expect(await idsIn('last_entry')).toEqual([]);
  });

  it('that another process has locked are left to it without a warning', async () => {
    await keep(first);
    const later = addMonths(first, 7);
    await keep(later, { ...entries, keepMonths: 12 });
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('begin; lock table entry in share update exclusive mode');
    const warnings: unknown[] = [];
    const noting = Object.assign(Object.create(logger), {
      warn: (...line: unknown[]) => warnings.push(line),
    });
    await keepPartitions(
      { databaseUrl: url, logger: noting },
      [entries],
      () => false,
      midMonth(later),
    );
    expect(warnings).toEqual([]);
    expect(await readMonths(client, 'entry')).toContain(first);
    await other.end();
  });

  it('copy rows of the default partition before they lock what its keys refer to', async () => {
    await insertRows(first);
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('begin; lock table entry_default in access exclusive mode');
    const maker = new pg.Client({ connectionString: url, application_name: 'partitions' });
    await maker.connect();
    const made = maker.query(`select make_partition('entry', $1)`, [`${first}-01`]);
    while ((await client.query(waiting)).rowCount === 0);
    const locks = await client.query(
      `select l.mode from pg_locks l join pg_stat_activity a using (pid)
       where a.application_name = 'partitions' and l.relation = 'owner'::regclass and l.granted`,
    );
    expect(locks.rows).toEqual([]);
    await other.query('commit');
    await made;
    expect(await idsIn('entry_default')).toEqual([]);
    expect(await idsIn('entry')).toHaveLength(3);
    await Promise.all([other.end(), maker.end()]);
  });

  it('are refused for days within a month, and not detached while they are recent', async () => {
    const now = monthOf(new Date());
    await keepPartitions({ databaseUrl: url, logger }, [entries]);
    for (const change of ['make', 'detach']) {
      await expect(
        client.query(`select ${change}_partition('entry', '2024-11-02')`),
      ).rejects.toThrow('2024-11-02 is not the first day of a month');
    }
    for (const month of months(addMonths(now, -2), 3)) {
      await client.query(`select make_partition('entry', $1)`, [`${month}-01`]);
    }
    const detach = (month: Month) =>
      client.query(`select detach_partition('entry', $1)`, [`${month}-01`]);
    for (const month of months(addMonths(now, -1), 5)) {
      await expect(detach(month)).rejects.toThrow('too recent');
    }
    await detach(addMonths(now, -2));
    expect(await readMonths(client, 'entry')).toEqual(months(addMonths(now, -1), 5));
  });

  it('are completed by the next run after one that died between two steps', async () => {
    let steps = 0;
    const die = () => {
      steps += 1;
      if (steps > 2) throw new Error('killed');
      return false;
    };
    await expect(keep(first, entries, die)).rejects.toThrow('killed');
    expect(await readMonths(client, 'entry')).toEqual(months(first, 2));
    await keep(first);
    expect(await readMonths(client, 'entry')).toEqual(months(first, 4));
  });

  it('stay attached, and nothing is stored, if the process dies before the COMMIT', async () => {
    await keep(first);
    const ids = await insertRows(first);
    const later = addMonths(first, 7);
    const dying: PartitionedTable = {
      ...entries,
      async beforeDetach(connection, partition) {
        await entries.beforeDetach?.(connection, partition);
        await connection.query('select pg_terminate_backend(pg_backend_pid())');
      },
    };
    await expect(keep(later, dying)).rejects.toThrow(/terminat/);
    expect(await idsIn('entry')).toEqual(ids);
    expect(await idsIn('last_entry')).toEqual([]);
    await keep(later);
    expect(await idsIn('entry')).toEqual([]);
    expect(await idsIn('last_entry')).toEqual(ids.slice(2));
  });

  it('wait for a transaction that uses the table, and let others pass meanwhile', async () => {
    await keep(first);
    await insertRows(first);
    const later = addMonths(first, 7);
    await keep(later, { ...entries, keepMonths: 12 });
    const reader = new pg.Client({ connectionString: url });
    await reader.connect();
    await reader.query('begin; select 1 from entry');
    const detaching = keep(later);
    while ((await client.query(waiting)).rowCount === 0);
    for (let n = 0; n < 20; n += 1) await insertRows(later);
    expect(await readMonths(client, 'entry')).toContain(first);
    await reader.query('commit');
    await detaching;
    expect(await readMonths(client, 'entry')).not.toContain(first);
    await reader.end();
  });

  it('have rows that cannot be changed, whether attached or detached', async () => {
    await keep(first);
    await insertRows(first);
    const partition = `entry_${first.replace('-', '_')}`;
    const changes = [
      (table: string) => `update ${table} set owner_id = 1`,
      (table: string) => `delete from ${table}`,
    ];
    for (const change of changes) {
      for (const table of ['entry', partition]) {
        await expect(client.query(change(table))).rejects.toThrow('append-only');
      }
    }
    await keep(addMonths(first, 7));
    const insert = (table: string) => `insert into ${table} values (1, '${newIdAt(0)}')`;
    const truncate = (table: string) => `truncate ${table}`;
    for (const change of [...changes, insert, truncate]) {
      await expect(client.query(change(partition))).rejects.toThrow('is an archive');
    }
    const keys = await client.query(
      `select from pg_constraint where conrelid = $1::regclass and contype = 'f'`,
      [partition],
    );
    expect(keys.rowCount).toBe(0);
  });

  it('are made and detached by a role that may only read and write rows', async () => {
    const owner = new URL(url);
    const role = `service_of_${owner.pathname.slice(1)}`;
    const admin = new pg.Client({ connectionString: process.env.TEST_POSTGRES_URL as string });
    await admin.connect();
    await admin.query(`create role ${role} login password 'of-a-test'`);
    await client.query(`alter default privileges in schema public
      grant select, insert, update, delete on tables to ${role}`);
    await client.query(`grant connect on database ${owner.pathname.slice(1)} to ${role}`);
    await client.query(
      `grant select, insert, update, delete on all tables in schema public to ${role}`,
    );
    const service = new URL(url);
    service.username = role;
    service.password = 'of-a-test';
    const keepAs = (month: Month) =>
      keepPartitions(
        { databaseUrl: service.href, logger },
        [entries],
        () => false,
        midMonth(month),
      );
    await keepAs(first);
    const ids = await insertRows(first);
    const later = addMonths(first, 7);
    await insertRows(later);
    await keepAs(later);
    expect(await readMonths(client, 'entry')).toEqual([
      ...months(addMonths(first, 1), 3),
      ...months(later, 4),
    ]);
    expect(await idsIn('last_entry')).toEqual(ids.slice(2));
    await client.query(`revoke insert on entry from ${role}`);
    await expect(keepAs(addMonths(later, 1))).rejects.toThrow(`${role} may not write to entry`);
    await admin.end();
  });
});
