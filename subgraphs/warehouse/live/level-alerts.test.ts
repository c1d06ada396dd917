import { setTimeout as sleep } from 'node:timers/promises';
import { rowsRead } from '../../../tests/harness/rows-read.js';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import { createStockMessages } from '../signals/stock-messages.js';
import { stockChannel } from '../signals/stock-signals.js';
import { type AlertLimits, createLevelAlerts, type LevelAlerts } from './level-alerts.js';
import { lowStock } from './read-affected.js';
import type { LevelFeed } from './shop-levels.js';

const ofLevels = /\bstock_level\b/;

describe('alerts of low stock', () => {
  let stock: TestStock;
  let engine: Awaited<ReturnType<TestStock['engine']>>;
  let create: (limits?: AlertLimits) => LevelAlerts;
  let publish: (shopId: string, sku: string) => Promise<unknown>;
  const all: LevelAlerts[] = [];
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
    const messages = createStockMessages(await stock.redisAt(1), logger);
    create = (limits) => {
      const alerts = createLevelAlerts(lowStock, engine.orm.em, messages, logger, limits);
      all.push(alerts);
      return alerts;
    };
    const redis = await stock.redisAt(1);
    publish = (shopId, sku) =>
      redis.publish(stockChannel, JSON.stringify([{ shopId, sku, available: 1, version: 1 }]));
  });
  afterEach(async () => {
    for (const alerts of all.splice(0)) await alerts.stop();
  });
  afterAll(() => stock.close());

  /** A shop with levels of 20 units, of which those up to `low` have 5. */
  async function openShop(levels: number, low: number) {
    const { shopId, warehouseIds } = await stockUp(engine, [0]);
    const skuOf = (n: number) => `${shopId.slice(-8)}-${n}`;
    await stock.query(
      `insert into stock_level (id, warehouse_id, shop_id, sku, on_hand)
       select gen_random_uuid(), $1, $2, $3 || '-' || n, case when n <= $5 then 5 else 20 end
       from generate_series(1, $4::int) as n`,
      [warehouseIds[0], shopId, shopId.slice(-8), levels, low],
    );
    const setOnHand = async (n: number, onHand: number) => {
      const [level] = await stock.query<{ id: string }>(
        'update stock_level set on_hand = $3 where shop_id = $1 and sku = $2 returning id',
        [shopId, skuOf(n), onHand],
      );
      return level?.id as string;
    };
    return { shopId, skuOf, setOnHand };
  }

  function collect(feed: LevelFeed) {
    const seen: string[] = [];
    void (async () => {
      for await (const id of feed) seen.push(id);
    })();
    return seen;
  }
  const eventuallyOf = (alerts: LevelAlerts, count: number) =>
    eventually(
      async () => alerts.levels(),
      (levels) => levels === count,
    );
  const eventuallySeen = (seen: readonly string[], ids: readonly string[]) =>
    eventually(
      async () => seen,
      ({ length }) => length >= ids.length,
    ).then(() => expect(seen).toEqual(ids));

  it('read the levels of a shop once for all of its feeds, in bounded steps', async () => {
    const alerts = create();
    const { shopId } = await openShop(7000, 5000);
    const read = await rowsRead(ofLevels, () =>
      Promise.all([alerts.open(shopId), alerts.open(shopId)]),
    );
    expect(read.rows).toBeGreaterThanOrEqual(5000);
    expect(read.rows).toBeLessThanOrEqual(7000); // perhaps with a step of the round
    expect(read.rowsMax).toBe(2000);
    expect(alerts.levels()).toBe(5000);
    expect((await rowsRead(ofLevels, () => alerts.open(shopId))).rows).toBeLessThanOrEqual(2000);
  });

  it('read only the levels of a changed item when Redis reports it, and in turn at most 2,000', async () => {
    const alerts = create();
    const quiet = await openShop(6000, 6000);
    const { shopId, skuOf, setOnHand } = await openShop(10, 3);
    await alerts.open(quiet.shopId);
    const feeds = [await alerts.open(shopId), await alerts.open(shopId)].map(collect);
    const first = await setOnHand(7, 2);
    const read = await rowsRead(/unnest/, async () => {
      await publish(shopId, skuOf(7));
      await publish(shopId, skuOf(1)); // is low as before
      for (const seen of feeds) await eventuallySeen(seen, [first]);
    });
    expect(read.rows).toBeLessThanOrEqual(2);
    const round = await rowsRead(ofLevels, () => sleep(2500));
    expect(round.statements).toBeLessThanOrEqual(3);
    expect(round.rowsMax).toBeLessThanOrEqual(2000);
    for (const seen of feeds) expect(seen).toEqual([first]);
  });

  it('come without a message too, once each time that a level becomes low', async () => {
    const alerts = create();
    const { shopId, setOnHand } = await openShop(3000, 2500);
    const seen = collect(await alerts.open(shopId));
    const id = await setOnHand(2900, 1);
    await eventuallySeen(seen, [id]);
    await setOnHand(2900, 20);
    await eventuallyOf(alerts, 2500);
    await setOnHand(2900, 0);
    await eventuallySeen(seen, [id, id]);
  });

  it('are free of what a closed feed watched, and refused beyond the limits', async () => {
    const alerts = create({ feedsMax: 2, levelsMax: 100 });
    const [small, large] = [await openShop(20, 20), await openShop(200, 90)];
    const refused = { extensions: { code: 'TRY_AGAIN' } };
    const feed = await alerts.open(small.shopId);
    await expect(alerts.open(large.shopId)).rejects.toMatchObject(refused);
    expect(alerts.levels()).toBe(20);
    const second = await alerts.open(small.shopId);
    await expect(alerts.open(small.shopId)).rejects.toMatchObject(refused);
    for (const each of [feed, second]) await each.return();
    expect(alerts.levels()).toBe(0);
    for (let n = 0; n < 20; n++) await (await alerts.open(large.shopId)).return();
    expect(alerts.levels()).toBe(0);
    expect((await rowsRead(ofLevels, () => sleep(1500))).statements).toBe(0);
  });

  it('end with TRY_AGAIN when the affected levels of their shop become too many', async () => {
    const alerts = create({ feedsMax: 10, levelsMax: 30 });
    const [small, growing] = [await openShop(10, 10), await openShop(30, 20)];
    const stays = await alerts.open(small.shopId);
    const feeds = [await alerts.open(growing.shopId), await alerts.open(growing.shopId)];
    await growing.setOnHand(21, 1);
    for (const feed of feeds) {
      const read = (async () => {
        for await (const _ of feed);
      })();
      await expect(read).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    }
    expect([alerts.levels(), stays.isClosed]).toEqual([10, false]);
    await expect(alerts.open(growing.shopId)).rejects.toMatchObject({
      extensions: { code: 'TRY_AGAIN' },
    });
  });
});
