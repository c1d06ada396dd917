import pg from 'pg';
import { breaks } from '../../tests/harness/broken-invariants.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import { tracesOf } from '../../tests/harness/traces.js';
import type { Reader } from '../databases/clients.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { subgraphNames } from '../subgraph-names.js';
import { type Invariant, type Moment, type Moments, momentAt, type Readers } from './invariant.js';
import { byIndexSql } from './readers.js';
import { stockInvariants } from './stock-invariants.js';

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly Plan[];
}
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

const months = 40;
// The month, the one before it, one more for a look-up 31 days back, those ahead, and the default partition.
const partitionsMax = 8;

describe('checks of changed stock in a ledger of 40 months', () => {
  let databases: { urls: DatabaseUrls; drop(): Promise<void> };
  let client: pg.Client;
  let since: Moment;
  beforeAll(async () => {
    databases = await createAllTestDatabases('store');
    client = new pg.Client({ connectionString: databases.urls.warehouse });
    await client.connect();
    await client.query(
      `select make_partition('stock_movement', (date_trunc('month', now()) - n * interval '1 month')::date)
       from generate_series(1, $1) n`,
      [months],
    );
    // A first movement has none before it, which only a look at all months can say.
    since = momentAt(Date.now() + 1);
    for (const [database, statement] of tracesOf('any')) {
      if (database === 'warehouse') await client.query(statement);
    }
    for (const [name, database, statements] of breaks) {
      if (database !== 'warehouse' || !withRows.has(name)) continue;
      for (const statement of statements) await client.query(statement);
    }
    await client.query('analyze');
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  const withRows = new Set([
    'every reservation line is the sum of its movements',
    'every unit of a transfer is received, returned, missing or in transit',
  ]);

  /** The partitions of the ledger that the statements of a check read. */
  async function partitionsOf(invariant: Invariant): Promise<Set<string>> {
    const read = new Set<string>();
    const query = async (sql: string, values: unknown[]) => {
      await client.query(`begin; ${byIndexSql}`);
      const { rows } = await client.query(`explain (analyze, format json) ${sql}`, values);
      const result = await client.query(sql, values);
      await client.query('commit');
      for (const node of nodesOf(rows[0]['QUERY PLAN'][0].Plan)) {
        const table = node['Relation Name'] ?? '';
        if (node['Actual Loops'] > 0 && table.startsWith('stock_movement')) read.add(table);
      }
      return result;
    };
    const reader = { query } as unknown as Reader;
    const readers = Object.fromEntries(subgraphNames.map((name) => [name, reader]));
    const moments = Object.fromEntries(subgraphNames.map((name) => [name, since]));
    await invariant.check(
      readers as unknown as Readers,
      { of: 'changed', since: moments as unknown as Moments },
      false,
    );
    return read;
  }

  it.each(stockInvariants)('read only recent partitions: $name', async (invariant) => {
    const read = await partitionsOf(invariant);
    expect(read.size).toBeLessThanOrEqual(partitionsMax);
  });
});
