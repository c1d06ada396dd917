import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { seedId } from '../../dev/seed/ids.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { breaks } from '../../tests/harness/broken-invariants.js';
import {
  cancelOfSale,
  openSale,
  openSoldOnly,
  pauseOfSale,
  regularLine,
  saleLine,
} from '../../tests/harness/broken-sale-orders.js';
import { type Break, level } from '../../tests/harness/broken-stock.js';
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

  it('finds a line at the regular price of an offer that is sold only in its sale, unless that was not live', async () => {
    const name = 'no line at the regular price was decided while its offer was sold only in a sale';
    const minuteMs = 60_000;
    for (const statement of placed(newId())) await clients.order.query(statement);
    for (const statement of openSoldOnly[1]) await clients.shop.query(statement);
    const offendsAt = async (minutes: number) => {
      await clients.order.query(regularLine(minutes * minuteMs));
      return (await found(name)).length > 0;
    };
    const offends = async (...minutes: number[]) => {
      const results: boolean[] = [];
      for (const each of minutes) results.push(await offendsAt(each));
      return results;
    };
    expect(await offends(-1, 0, 10, 20, 40, 120)).toEqual([false, true, true, true, true, false]);
    await clients.shop.query(pauseOfSale(10 * minuteMs, 20 * minuteMs));
    await clients.shop.query(pauseOfSale(40 * minuteMs, null));
    // What was decided until a moment after the resumption did not know of it.
    expect(await offends(9, 10, 20, 21, 40, 119)).toEqual([true, false, false, true, false, false]);
    await clients.shop.query(cancelOfSale(30 * minuteMs));
    expect(await offends(29, 30)).toEqual([true, false]);
    await clients.shop.query(`update sale_offer set when_sold_out = 'REGULAR_PRICE'`);
    expect(await offends(29)).toEqual([false]);
    await clients.order.query(saleLine);
    expect(await found(name)).toEqual([]);
  });

  const found = async (name: string) => {
    const invariant = invariants.find((each) => each.name === name) as Invariant;
    return (await invariant.check(clients as unknown as Readers, { of: 'all' }, true)).offending;
  };

  it('compares the units and the end of each sale in shop and warehouse', async () => {
    const name = 'the warehouse has allocated to each sale what shop has, until the same end';
    const saleId = newId();
    const times = `now() - interval '1 h', date_trunc('hour', now()) + interval '2 h'`;
    const { rows } = await clients.shop.query<{ key: string[]; end: Date }>(
      `with made as (insert into sale_event (id, name, slug, starts_at, ends_at, status, published_at)
         values ($1, 'Sale', 'sale', ${times}, 'PUBLISHED', now()) returning ends_at as end
       ), line as (
         insert into sale_offer (sale_id, offer_id, price_amount, allocation) values ($1, $2, 1, 7))
       select array[shop_id::text, sku] as key, made.end from offer, made where offer.id = $2`,
      [saleId, seedId('offer', 0)],
    );
    const [{ key, end }] = rows as [{ key: string[]; end: Date }];
    expect(await found(name)).toMatchObject([{ id: saleId }]);
    const item = [...key, saleId];
    await clients.warehouse.query(
      `with item as (insert into sale_item (shop_id, sku, sale_id, allocated) values ($1, $2, $3, 7)
       ), stock as (update stock_item set sale_id = $3, set_aside = 7, set_aside_until = $4
         where shop_id = $1 and sku = $2)
       insert into sale_allocation (shop_id, sale_id, revision, ends_at) values ($1, $3, 1, $4)`,
      [...item, end],
    );
    expect(await found(name)).toEqual([]);
    for (const [broken, repaired] of [
      ['sale_item set allocated = 8', 'sale_item set allocated = 7'],
      [
        `stock_item set set_aside_until = set_aside_until + interval '1 s'`,
        `stock_item set set_aside_until = set_aside_until - interval '1 s'`,
      ],
      [
        `sale_allocation set ends_at = ends_at + interval '1 s'`,
        `sale_allocation set ends_at = ends_at - interval '1 s'`,
      ],
    ] as const) {
      await clients.warehouse.query(`update ${broken} where sale_id = $1`, [saleId]);
      expect(await found(name)).toMatchObject([{ id: saleId }]);
      await clients.warehouse.query(`update ${repaired} where sale_id = $1`, [saleId]);
      expect(await found(name)).toEqual([]);
    }
  });

  it('compares the units of each sale in an order and its reservation', async () => {
    const [orderId, saleId] = [newId(), newId()];
    const offending = async () =>
      (await found('the status of an order matches its reservation')).filter(
        ({ id }) => id === orderId,
      );
    for (const statement of placed(orderId)) await clients.order.query(statement);
    const { rows } = await clients.warehouse.query<{ sku: string }>(
      `with level as (select shop_id, id, sku from stock_level where id = $1
       ), made as (insert into reservation (order_id, shop_ids, state, expires_at)
         select $2, array[shop_id], 'HELD', now() + interval '1 hour' from level
       ), line as (insert into reservation_line (order_id, shop_id, level_id, sale_id, quantity)
         select $2, shop_id, id, $3, 2 from level)
       select sku from level`,
      [level, orderId, saleId],
    );
    expect(await offending()).toHaveLength(1);
    const set = 'update order_item set sku = $2, sale_id = $3, decided_at = now() where id = $1';
    await clients.order.query(set, [orderId, rows[0]?.sku, newId()]);
    expect(await offending()).toHaveLength(1);
    await clients.order.query(set, [orderId, rows[0]?.sku, saleId]);
    expect(await offending()).toEqual([]);
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
