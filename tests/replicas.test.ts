import pg from 'pg';
import { seedId } from '../dev/seed/ids.js';
import { rebuildSearch } from '../ops/rebuild/search.js';
import type { SubgraphName } from '../ops/subgraph-names.js';
import { mayLag, readsHeader } from '../subgraphs/shared/http/reads-header.js';
import { createAllTestDatabases } from './harness/databases.js';
import { checkout, logIn } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const parts = ['product', 'shop', 'warehouse'] as const;
const offerId = seedId('offer', 0);

async function run(url: string, text: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

/** The replicas differ from their primaries, so that an answer shows where it was read. */
describe('with replicas of the databases', () => {
  let system: TestSystem;
  let replicas: Awaited<ReturnType<typeof createAllTestDatabases>>;
  beforeAll(async () => {
    [system, replicas] = await Promise.all([startSystem(), createAllTestDatabases('store')]);
    const differ: Partial<Record<SubgraphName, string>> = {
      product: `update product set name = 'Copied ' || name`,
      shop: `update offer set price_amount = 0.01, compare_at_amount = null;
        update shop set name = 'Copied ' || name`,
      warehouse: 'update stock_item set available = 7777; update stock_level set on_hand = 7777',
    };
    for (const name of parts) {
      await run(replicas.urls[name], differ[name] as string);
    }
    await rebuildSearch(replicas.urls);
    for (const name of parts) {
      await system.stopProcess(name);
      await system.start(name, { DATABASE_REPLICA_URLS: replicas.urls[name] });
    }
  });
  afterAll(async () => {
    await system.stop();
    await replicas.drop();
  });

  const fields = `sku product { name } offers(first: 1) {
    price { amount } shop { name } availability { available } }`;
  /** Reads the variant of the first offer, with fields of every subgraph that has replicas. */
  const browse = async () => {
    const { data, errors } = await system.graphql(
      `query ($id: UUID!) { offer(id: $id) { variant { ${fields} } } }`,
      { id: offerId },
    );
    expect(errors).toBeUndefined();
    return data.offer.variant;
  };
  const copied = {
    product: { name: expect.stringMatching(/^Copied /) },
    offers: [
      {
        price: { amount: '0.01' },
        shop: { name: expect.stringMatching(/^Copied /) },
        availability: { available: 7777 },
      },
    ],
  };

  /** Waits until the replicas answer: one that was slow to connect is not used for some seconds. */
  const replicasAnswer = () =>
    eventually(
      async () => JSON.stringify(await browse()),
      (text) => text.match(/Copied/g)?.length === 2 && /0\.01.*7777/.test(text),
      60_000,
    );

  it('queries read from them: lists, searches and references', async () => {
    await replicasAnswer();
    expect(await browse()).toMatchObject(copied);
    const { data } = await system.graphql(
      '{ products(first: 3, filter: { search: "copied" }) { totalCount } shops(search: "copied") { edges { node { name } } } }',
    );
    expect(data.products.totalCount).toBeGreaterThan(3);
    expect(data.shops.edges.length).toBeGreaterThan(0);
  });

  it('mutations read from the primaries, in every subgraph', async () => {
    const vera = await logIn(system, 'vera');
    const [row] = await run(
      system.databases.shop,
      `select sku, shop_id from offer where id = '${offerId}'`,
    );
    const input = { shopId: row.shop_id, sku: row.sku, price: '33.00' };
    const { data, errors } = await system.graphql(
      `mutation ($input: SetOfferInput!) { setOffer(input: $input) {
         shop { name } availability { available } variant { ${fields} } } }`,
      { input },
      vera.token,
    );
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).not.toMatch(/Copied|7777|0\.01/);
    expect(data.setOffer.variant.offers[0].price.amount).not.toBe('0.01');
    const [offer] = await run(
      system.databases.shop,
      `select name, price_amount from offer where id = '${offerId}'`,
    );
    expect(offer).toEqual({ name: expect.not.stringMatching(/Copied/), price_amount: '33.00' });
    const untouched = await run(
      replicas.urls.shop,
      `select price_amount from offer where id = '${offerId}'`,
    );
    expect(untouched).toEqual([{ price_amount: '0.01' }]);
  });

  it('checkouts take stock and prices from the primaries', async () => {
    const ana = await logIn(system, 'ana');
    const { data } = await checkout(system, ana, [{ offerId, quantity: 1 }]);
    expect(data.checkout.order.total.amount).toBe('33.00');
    const { data: refused } = await checkout(system, ana, [{ offerId, quantity: 7000 }]);
    expect(refused.checkout.__typename).toBe('InsufficientStock');
  });

  it('clients cannot request stale reads themselves', async () => {
    const { token } = await logIn(system, 'vera');
    const url = system.url.replace('/graphql', `/warehouses/${seedId('warehouse', 0)}/stock.csv`);
    const headers = { authorization: `Bearer ${token}`, [readsHeader]: mayLag };
    const answer = await fetch(url, { headers });
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toMatch(/7777/);
  });

  it('the primaries answer while the replicas are down', async () => {
    await replicasAnswer();
    expect(await browse()).toMatchObject(copied);
    await shutReplicas();
    for (let n = 0; n < 5; n++) {
      expect(JSON.stringify(await browse())).not.toMatch(/Copied|7777|0\.01/);
    }
  });

  /** Ends all connections to the replicas and refuses new ones, as when a machine fails. */
  async function shutReplicas() {
    const admin = new pg.Client({ connectionString: process.env.TEST_POSTGRES_URL });
    await admin.connect();
    for (const name of parts) {
      const database = new URL(replicas.urls[name]).pathname.slice(1);
      await admin.query(`alter database ${database} with allow_connections false`);
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1',
        [database],
      );
    }
    await admin.end();
  }
});
