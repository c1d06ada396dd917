import { createTestDatabases } from '../../../tests/harness/databases.js';
import { connect } from '../../shared/database/connect.js';
import { sql } from '../../shared/database/sql.js';
import { rowsMax } from '../../shared/graphql/rows-max.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { loadCheapestOffers } from './cheapest-offers.js';

describe('the offers of many variants', () => {
  const offersPerSku = 100;
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    const made = await createTestDatabases(['shop']);
    database = made;
    orm = await connect({ name: 'test', url: made.urls.shop, poolMax: 5 }, databaseSchema);
    await sql(
      orm.em.fork(),
      `with shop as (
         insert into shop (id, name, slug, owner_id, currency_code)
         select gen_random_uuid(), 'Shop', 'shop-' || n, gen_random_uuid(), 'USD'
         from generate_series(1, $1) n returning id)
       insert into offer (id, shop_id, sku, name, price_amount, currency_code)
       select gen_random_uuid(), shop.id, 'SKU-' || n, 'It', 1, 'USD'
       from shop, generate_series(0, $2) n`,
      [offersPerSku, rowsMax / offersPerSku],
    );
  });
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const load = (skus: number) =>
    loadCheapestOffers(
      Array.from({ length: skus }, (_, n) => ({ sku: `SKU-${n}`, shopId: null, first: 100 })),
      { em: orm.em.fork() } as never,
    );

  it('are loaded up to 20,000 in a request', async () => {
    const found = await load(rowsMax / offersPerSku);
    expect(found.flat()).toHaveLength(rowsMax);
  });

  it('are refused beyond, whatever the request may cost', async () => {
    await expect(load(rowsMax / offersPerSku + 1)).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
      message: expect.stringContaining('more than 20000 entries together'),
    });
  });
});
