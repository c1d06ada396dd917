import type pg from 'pg';
import { openTestDatabase } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../order/mikro-orm.config.js';
import { withDedicatedConnection } from './dedicated-connection.js';
import { keepPrepared } from './prepared-statements.js';

const prepared = 'insert into note values ($1::text)';
keepPrepared(prepared);
const firstStatements: readonly [string, unknown, unknown[]][] = [
  ['of plain text', `insert into note values ('a')`, []],
  ['with values', 'insert into note values ($1)', ['a']],
  ['that stays prepared', prepared, ['a']],
  ['with a configuration', { text: 'insert into note values ($1)', values: ['a'] }, []],
];

describe('a transaction', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase('order', databaseSchema);
    await database.client.query('create table note (text text primary key)');
  });
  beforeEach(() => database.client.query('truncate note'));
  afterAll(() => database.close());

  const notes = async () => {
    const { rows } = await database.client.query<{ text: string }>('select text from note');
    return rows.map(({ text }) => text);
  };
  const connected = (work: (client: pg.Client) => Promise<void>) =>
    withDedicatedConnection(
      { name: 'test', url: database.url, transactionMaxMs: 30_000 },
      work as never,
    );
  /** How many times the server was waited for. */
  async function roundTripsOf(client: pg.Client, work: () => Promise<unknown>): Promise<number> {
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
    let count = 0;
    const add = () => {
      count += 1;
    };
    connection.on('readyForQuery', add);
    await work();
    connection.off('readyForQuery', add);
    return count;
  }

  it.each(firstStatements)('begins together with its first statement, %s', (_, text, values) =>
    connected(async (client) => {
      const insert = () => client.query(text as string, values.length > 0 ? values : undefined);
      const work = async (end: string) => {
        await client.query('begin');
        expect(await insert()).toMatchObject({ command: 'INSERT', rowCount: 1 });
        await client.query(end);
      };
      expect(await roundTripsOf(client, () => work('rollback'))).toBe(2);
      expect(await notes()).toEqual([]);
      await work('commit');
      expect(await notes()).toEqual(['a']);

      await client.query('begin');
      await expect(insert()).rejects.toThrow('duplicate key');
      await expect(client.query('select 1')).rejects.toThrow('current transaction is aborted');
      await client.query('rollback');
      expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    }),
  );

  it('without a statement sends nothing', () =>
    connected(async (client) => {
      const work = async () => {
        for (const end of ['commit', 'rollback']) {
          await client.query('begin');
          expect((await client.query(end)).command).toBe(end.toUpperCase());
        }
      };
      expect(await roundTripsOf(client, work)).toBe(0);
    }));

  it('can repeat a statement that could not be prepared at first', () =>
    connected(async (client) => {
      const text = 'select $1::int + extra.n as sum from extra';
      keepPrepared(text);
      await client.query('begin');
      await expect(client.query(text, [1])).rejects.toThrow('"extra" does not exist');
      await client.query('rollback');
      await client.query('create temp table extra as select 2 as n');
      await client.query('begin');
      expect((await client.query(text, [1])).rows).toEqual([{ sum: 3 }]);
      await client.query('rollback');
    }));

  it('can repeat a statement that was prepared, and failed, as the first of a new connection', async () => {
    await database.client.query(`insert into note values ('a')`);
    await connected(async (client) => {
      for (let attempt = 1; attempt <= 2; attempt++) {
        await client.query('begin');
        await expect(client.query(prepared, ['a'])).rejects.toThrow('duplicate key');
        await client.query('rollback');
      }
      await client.query('begin');
      await client.query(prepared, ['b']);
      await client.query('commit');
    });
    expect(await notes()).toEqual(['a', 'b']);
  });

  it('whose BEGIN fails does not run its first statement by itself', () =>
    connected(async (client) => {
      const { connection } = client as unknown as {
        connection: { parse(statement: object): void };
      };
      const parse = connection.parse.bind(connection);
      connection.parse = (statement) =>
        parse('text' in statement && statement.text === 'begin' ? { text: 'begun' } : statement);
      await client.query('begin');
      await expect(client.query(prepared, ['a'])).rejects.toThrow('syntax error');
      connection.parse = parse;
      await client.query('rollback');
      expect(await notes()).toEqual([]);
      await client.query('begin');
      await client.query(prepared, ['b']);
      await client.query('commit');
      expect(await notes()).toEqual(['b']);
    }));

  it('runs statements that are sent at the same time in turn', () =>
    connected(async (client) => {
      await client.query('begin');
      await Promise.all([client.query(prepared, ['a']), client.query(prepared, ['b'])]);
      await client.query('rollback');
      expect(await notes()).toEqual([]);
    }));
});
