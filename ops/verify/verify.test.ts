import pg from 'pg';
import { seedId } from '../../dev/seed/ids.js';
import { keepPartitions } from '../../subgraphs/shared/database/partitions/keep-partitions.js';
import { monthOf } from '../../subgraphs/shared/database/partitions/month.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { ledgerPartitions } from '../../subgraphs/warehouse/stock/ledger-checkpoint.js';
import { attachAgainSql } from '../../tests/harness/attach-again.js';
import { level } from '../../tests/harness/broken-stock.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import { placed } from '../../tests/harness/placed-order.js';
import { tracesOf } from '../../tests/harness/traces.js';
import { someoneWaits } from '../../tests/harness/wait.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { rebuildProjections } from '../rebuild/projections.js';
import { type SubgraphName, subgraphNames } from '../subgraph-names.js';
import { type Moments, momentAt } from './invariant.js';
import { invariants, isBroken, report, verify } from './verify.js';

const logger = createLogger('test', 'silent');
const moment = (ms: number) =>
  Object.fromEntries(subgraphNames.map((name) => [name, momentAt(ms)])) as unknown as Moments;
const soon = { atRest: true, looksApartMs: 0 };

describe('npm run verify', () => {
  let databases: { urls: DatabaseUrls; drop(): Promise<void> };
  beforeEach(async () => {
    databases = await createAllTestDatabases('store');
  });
  afterEach(() => databases.drop());

  async function connected(name: SubgraphName) {
    const client = new pg.Client({ connectionString: databases.urls[name] });
    await client.connect();
    return client;
  }

  const offerSku = async () => {
    const client = await connected('shop');
    const { rows } = await client.query('select sku from offer where id = $1', [
      seedId('offer', 0),
    ]);
    await client.end();
    return rows[0].sku as string;
  };
  async function run(name: SubgraphName, statements: readonly string[]) {
    const client = await connected(name);
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  it('finds nothing in a seeded store, and reports the number of checked rows', async () => {
    const verdicts = await verify(databases.urls, soon);
    expect(isBroken(verdicts)).toBe(false);
    expect(verdicts).toHaveLength(invariants.length);
    expect(verdicts[0]?.rows).toBeGreaterThan(100);
    expect(report(verdicts)).toContain('holds ');
  });

  const brokenOf = async (changedSince?: Moments) => {
    const options = { ...soon, ...(changedSince && { changedSince }) };
    const verdicts = await verify(databases.urls, options);
    expect(verdicts.filter(({ notChecked }) => notChecked)).toEqual([]);
    return verdicts.filter(({ offending }) => offending.length > 0).map(({ name }) => name);
  };

  it.each([
    ['shipped', `status = 'SHIPPED'`, '', 0],
    ['cancelled', `status = 'CANCELLED'`, `, cancel_reason = 'BY_SHOP'`, 2],
  ])(
    'finds a paid order of whose units too few are %s in the warehouse',
    async (as, set, why, cancelled) => {
      const name = 'the status of an order matches its reservation';
      const offending = async () =>
        (await verify(databases.urls, soon)).find((verdict) => verdict.name === name)?.offending;
      const order = newId();
      const warehouse = await connected('warehouse');
      const { rows } = await warehouse.query('select shop_id from stock_level where id = $1', [
        level,
      ]);
      await run('order', [
        ...placed(order, rows[0].shop_id),
        `update shop_order set ${set}`,
        `update order_item set cancelled_quantity = ${cancelled}`,
        `update customer_order set ${set}${why}`,
      ]);
      await warehouse.query(
        `with paid as (insert into reservation (order_id, state, expires_at, payment_id)
         values ('${order}', 'COMMITTED', now(), '${newId()}') returning order_id)
       insert into reservation_line (order_id, shop_id, level_id, quantity, ${as})
       select order_id, shop_id, id, 2, 2 from paid, stock_level where id = '${level}'`,
      );
      expect(await offending()).toEqual([]);
      await warehouse.query(`update reservation_line set ${as} = 1`);
      await warehouse.end();
      expect(await offending()).toMatchObject([
        { id: order, reservation: { [as]: expect.anything() } },
      ]);
    },
  );

  it('checks the chain of movements across a detached month', async () => {
    const name = 'every movement follows from the one before it in its level';
    const aYearMs = 365 * 24 * 3_600_000;
    const keepMonths = (count: number) =>
      keepPartitions({ databaseUrl: databases.urls.warehouse, logger }, [ledgerPartitions(count)]);
    // The first movement of the level is a year old, the second one is of today.
    await run('warehouse', [
      'alter table stock_movement disable trigger append_only',
      `update stock_movement m set id = old.id, created_at = uuid_extract_timestamp(old.id)
       from (select uuidv7(interval '-${aYearMs} ms') as id) old where level_id = '${level}'`,
      'alter table stock_movement enable trigger append_only',
      ...tracesOf(await offerSku())
        .filter(([of]) => of === 'warehouse')
        .map(([, statement]) => statement),
    ]);
    await keepMonths(24);
    expect(await brokenOf()).toEqual([]);
    await keepMonths(1);
    const warehouse = await connected('warehouse');
    const { rows } = await warehouse.query(
      `select c.seq, m.seq as next from ledger_checkpoint c join stock_movement m using (shop_id, level_id)`,
    );
    await warehouse.end();
    expect(rows).toEqual([{ seq: '1', next: '2' }]);
    expect(await brokenOf()).toEqual([]);
    expect(await brokenOf(moment(Date.now() - 60_000))).toEqual([]);
    await run('warehouse', ['update ledger_checkpoint set on_hand = on_hand + 1']);
    expect(await brokenOf()).toEqual([name]);
    expect(await brokenOf(moment(Date.now() - 60_000))).toEqual([name]);
    await run('warehouse', [attachAgainSql(monthOf(new Date(Date.now() - aYearMs)))]);
    expect(await brokenOf()).toEqual([]);
  });

  it('finds nothing after the projections are rebuilt', async () => {
    await run('product', [
      'update offer_listing set in_stock = false, price_amount = 0.01 where sku < $$M$$',
      'delete from offer_listing where sku >= $$M$$',
      'delete from listed_price',
    ]);
    await run('shop', [`update offer set name = 'Something else' where sku < 'M'`]);
    expect(isBroken(await verify(databases.urls, soon))).toBe(true);
    expect(await rebuildProjections(databases.urls)).toBeGreaterThan(50);
    expect(isBroken(await verify(databases.urls, soon))).toBe(false);
  });

  it('keeps an offer that is listed while the projections are rebuilt', async () => {
    const [shopId, offerId] = [newId(), newId()];
    const [locker, observer] = await Promise.all([connected('product'), connected('product')]);
    const { rows } = await observer.query(
      'select sku, product_id from product_variant order by product_id desc limit 1',
    );
    const { sku, product_id: productId } = rows[0];
    // The rebuild has read the offers of shop, and waits for the lock on the first product.
    await locker.query('begin');
    await locker.query('select from product order by id limit 1 for update');
    const rebuilt = rebuildProjections(databases.urls);
    await someoneWaits(observer);
    await run('shop', [
      `insert into shop (id, name, slug, owner_id)
       values ('${shopId}', 'Late', 'late', '${newId()}')`,
      `insert into offer (id, shop_id, sku, name, price_amount, currency_code)
       select '${offerId}', '${shopId}', sku, name, 0.5, 'USD' from offer where sku = '${sku}' limit 1`,
    ]);
    await observer.query(
      `insert into offer_listing (shop_id, sku, product_id, offer_id, price_amount, currency_code,
         active, offer_version) values ($1, $2, $3, $4, 0.5, 'USD', true, 1)`,
      [shopId, sku, productId, offerId],
    );
    await locker.query('commit');
    await rebuilt;
    const { rowCount } = await observer.query('select from offer_listing where offer_id = $1', [
      offerId,
    ]);
    await Promise.all([locker.end(), observer.end()]);
    expect(rowCount).toBe(1);
    expect(isBroken(await verify(databases.urls, soon))).toBe(false);
  });
});
