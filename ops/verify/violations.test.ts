import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { seedId } from '../../dev/seed/ids.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { breaks } from '../../tests/harness/broken-invariants.js';
import { openSale, saleLine } from '../../tests/harness/broken-sale-orders.js';
import type { Break } from '../../tests/harness/broken-stock.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import { placed } from '../../tests/harness/placed-order.js';
import { tracesOf } from '../../tests/harness/traces.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { root, type SubgraphName, subgraphNames } from '../subgraph-names.js';
import {
  type Invariant,
  type Moments,
  momentAt,
  type OffendingRow,
  type Readers,
  type Scope,
} from './invariant.js';
import { invariants } from './verify.js';

/** Those whose rows are few at any time. */
const alwaysChecked = /^no reservation is HELD|^the outbox of/;
const hourMs = 3_600_000;

const withBefore = ([name, database, statements, before]: Break): Required<Break> => [
  name,
  database,
  statements,
  before ?? [database, []],
];

const changedSince = (ms: number): Scope => {
  const since = Object.fromEntries(subgraphNames.map((name) => [name, momentAt(ms)]));
  return { of: 'changed', since: since as unknown as Moments };
};

/** Each violation is made and found in one transaction of each database, which is rolled back. */
describe('verify', () => {
  let databases: { urls: DatabaseUrls; drop(): Promise<void> };
  const clients = {} as Record<SubgraphName, pg.Client>;
  let sku: string;
  const inAll = (statement: string) =>
    Promise.all(Object.values(clients).map((client) => client.query(statement)));

  beforeAll(async () => {
    databases = await createAllTestDatabases('store');
    for (const name of subgraphNames) {
      clients[name] = new pg.Client({ connectionString: databases.urls[name] });
      await clients[name].connect();
    }
    const { rows } = await clients.shop.query('select sku from offer where id = $1', [
      seedId('offer', 0),
    ]);
    sku = rows[0].sku;
  });
  beforeEach(() => inAll('begin'));
  afterEach(() => inAll('rollback'));
  afterAll(async () => {
    await Promise.all(Object.values(clients).map((client) => client.end()));
    await databases.drop();
  });

  /** Keys and columns of the rows that offend at two looks. */
  async function offendingIn(invariant: Invariant, scope: Scope): Promise<readonly OffendingRow[]> {
    const readers = clients as unknown as Readers;
    const { offending } = await invariant.check(readers, scope, true);
    if (offending.length === 0) return [];
    return (await invariant.check(readers, { of: 'rows', rows: offending }, true)).offending;
  }

  it.each(breaks.map(withBefore))(
    'finds a violation of: %s; by what has changed, until that is long ago',
    async (name, database, statements, before) => {
      const invariant = invariants.find((each) => each.name === name) as Invariant;
      const anHourAgo = changedSince(Date.now() - hourMs);
      for (const statement of before[1]) await clients[before[0]].query(statement);
      for (const statement of placed(newId())) await clients.order.query(statement);
      for (const statement of statements) await clients[database].query(statement);
      expect(await offendingIn(invariant, { of: 'all' })).not.toEqual([]);
      for (const [traced, statement] of tracesOf(sku)) await clients[traced].query(statement);
      const isOfShop = statements.some((statement) => statement.startsWith('update shop'));
      if (!isOfShop) expect(await offendingIn(invariant, anHourAgo)).not.toEqual([]);
      if (!alwaysChecked.test(name)) {
        expect(await offendingIn(invariant, changedSince(Date.now() + hourMs))).toEqual([]);
      }
    },
  );

  it('finds no violation where a line was decided in the window of its sale and has its price', async () => {
    const name = 'a line of a sale was decided in its window, and has its price';
    const invariant = invariants.find((each) => each.name === name) as Invariant;
    for (const statement of placed(newId())) await clients.order.query(statement);
    await clients.order.query(saleLine);
    for (const statement of openSale[1]) await clients[openSale[0]].query(statement);
    for (const scope of [{ of: 'all' } as const, changedSince(Date.now() - hourMs)]) {
      const found = await invariant.check(clients as unknown as Readers, scope, true);
      expect(found).toEqual({ rows: 1, offending: [], excused: [] });
    }
  });

  it('is described by a list of its invariants, and says which excuse work in progress', () => {
    const concepts = readFileSync(join(root, 'docs/concepts.md'), 'utf8').replace(/\s+/g, ' ');
    const described = [...concepts.matchAll(/\d+\. \*\*(.+?)\*\*( \(\*quiet\*\))?/g)];
    expect(described.map(([, name, quiet]) => [name, quiet !== undefined])).toEqual(
      invariants.map(({ name, excuses }) => [name, excuses]),
    );
  });

  it('is tested with a violation of each invariant', () => {
    expect(new Set(breaks.map(([name]) => name))).toEqual(
      new Set(invariants.map(({ name }) => name)),
    );
  });
});
