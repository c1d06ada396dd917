import { openTestDatabase } from '../../../../tests/harness/databases.js';
import { eventually } from '../../../../tests/harness/wait.js';
import type { SaleSummary } from '../../../contracts/shop.js';
import { sql } from '../../../shared/database/sql.js';
import { tryAgain } from '../../../shared/errors.js';
import { newId } from '../../../shared/ids.js';
import { createLogger } from '../../../shared/observability/logger.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import type { SaleReads } from '../read-sales.js';
import { createRefusalCounters, type RefusalCounters } from './count-refusals.js';

const logger = createLogger('test', 'silent');

describe('the refusals of a sale', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let processes: RefusalCounters[];
  const faults = { reads: 0 };
  const [saleId, shopId, otherShopId, offerId, second, ofOtherShop] = [
    ...[newId(), newId(), newId(), newId(), newId(), newId()],
  ] as [string, string, string, string, string, string];
  const sale = {
    id: saleId,
    offers: [
      { offerId, shopId, sku: 'A' },
      { offerId: second, shopId, sku: 'B' },
      { offerId: ofOtherShop, shopId: otherShopId, sku: 'A' },
    ],
  } as unknown as SaleSummary;
  const reads = {
    async sales(ids: readonly string[]) {
      if (faults.reads-- > 0) throw tryAgain('shop does not answer');
      return new Map(ids.includes(saleId) ? [[saleId, sale]] : []);
    },
  } as SaleReads;
  beforeAll(async () => {
    database = await openTestDatabase('order', databaseSchema);
  });
  afterAll(() => database.close());
  const rows = <T>(text: string, values: unknown[] = []) =>
    sql<T>(database.orm.em.fork(), text, values);
  beforeEach(async () => {
    faults.reads = 0;
    await rows('truncate sale_refusal');
    processes = [0, 1].map(() => createRefusalCounters(database.orm.em, reads, logger));
  });
  afterEach(async () => {
    await Promise.all(processes.map((each) => each.stop()));
  });

  const line = { offerId, saleId };
  const stored = () =>
    rows<{ kind: string; shopId: string; count: number }>(
      `select kind, shop_id as "shopId", sum(count)::int as count from sale_refusal where sale_id = $1
       group by kind, shop_id order by kind, shop_id`,
      [saleId],
    );
  const stop = () => Promise.all(processes.map((each) => each.stop()));
  const [one, other] = [
    () => processes[0] as RefusalCounters,
    () => processes[1] as RefusalCounters,
  ];

  it('are added up by several processes, within a second', async () => {
    for (let n = 0; n < 50; n++) {
      one().count(newId(), [line], 'SaleSoldOut');
      other().count(newId(), [line], 'SaleSoldOut');
    }
    await eventually(stored, ([row]) => row?.count === 100);
    one().count(newId(), [line], 'SaleSoldOut');
    other().count(newId(), [line], 'SaleNotOpen');
    await stop();
    expect(await stored()).toEqual([
      { kind: 'SaleNotOpen', shopId, count: 1 },
      { kind: 'SaleSoldOut', shopId, count: 101 },
    ]);
  });

  it('count once for each shop of a checkout, and not for regular lines', async () => {
    const regular = { offerId, saleId: null };
    const lines = [line, { offerId: second, saleId }, { offerId: ofOtherShop, saleId }, regular];
    one().count(newId(), lines, 'SaleSoldOut');
    one().count(newId(), [regular], 'InsufficientStock');
    await stop();
    const wanted = [shopId, otherShopId].toSorted();
    expect(await stored()).toEqual(
      wanted.map((id) => ({ kind: 'SaleSoldOut', shopId: id, count: 1 })),
    );
  });

  it('of a cart are those of its lines', async () => {
    const customerId = newId();
    await rows('insert into cart (customer_id, shard) values ($1, 0)', [customerId]);
    await rows(
      `insert into cart_item (customer_id, offer_id, sale_id, id, name, unit_price_amount, currency_code, quantity)
       values ($1, $2, $3, $4, 'A', 10, 'USD', 1)`,
      [customerId, offerId, saleId, newId()],
    );
    one().count(customerId, null, 'SaleSoldOut');
    one().count(customerId, undefined, 'SaleSoldOut');
    one().count(newId(), null, 'CartEmpty');
    await stop();
    expect(await stored()).toEqual([{ kind: 'SaleSoldOut', shopId, count: 2 }]);
  });

  it('count once for offers that are sold only in it, beside its lines in the checkout or the cart', async () => {
    const customerId = newId();
    await rows('insert into cart (customer_id, shard) values ($1, 0)', [customerId]);
    await rows(
      `insert into cart_item (customer_id, offer_id, sale_id, id, name, unit_price_amount, currency_code, quantity)
       values ($1, $2, $3, $4, 'A', 10, 'USD', 1)`,
      [customerId, offerId, saleId, newId()],
    );
    const inSales = [{ offerId: second, saleId }];
    one().count(newId(), [{ offerId: second }], 'SaleOnly', inSales);
    one().count(newId(), [{ offerId: second }, line], 'SaleOnly', inSales);
    one().count(customerId, null, 'SaleOnly', inSales);
    one().count(newId(), null, 'SaleOnly', inSales);
    await stop();
    expect(await stored()).toEqual([{ kind: 'SaleOnly', shopId, count: 4 }]);
  });

  it('of unknown sales, and of offers that are not in the sale, are not stored', async () => {
    one().count(newId(), [{ offerId, saleId: newId() }], 'SaleNotOpen');
    one().count(newId(), [{ offerId: newId(), saleId }], 'SaleNotOpen');
    await stop();
    expect(await rows('select 1 from sale_refusal')).toEqual([]);
  });

  it('of a sale are stored once it is published, though it was unknown before', async () => {
    const published = newId();
    let isPublished = false;
    const laterReads = {
      sales: async (ids: readonly string[]) =>
        new Map(isPublished && ids.includes(published) ? [[published, sale]] : []),
    } as SaleReads;
    const counters = createRefusalCounters(database.orm.em, laterReads, logger, 1);
    processes.push(counters);
    const refuse = () => counters.count(newId(), [{ offerId, saleId: published }], 'SaleNotOpen');
    const counted = () => rows('select 1 from sale_refusal where sale_id = $1', [published]);
    refuse();
    await counters.stop();
    expect(await counted()).toEqual([]);
    isPublished = true;
    refuse();
    await counters.stop();
    expect(await counted()).toHaveLength(1);
  });

  it('wait until the shop subgraph answers', async () => {
    faults.reads = 1;
    one().count(newId(), [line], 'SaleSoldOut');
    await eventually(stored, ([row]) => row?.count === 1);
    expect(faults.reads).toBeLessThan(0);
  });
});
