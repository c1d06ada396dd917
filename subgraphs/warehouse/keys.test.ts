import { openStock, type TestStock } from '../../tests/harness/stock-engine.js';

/** Tables without a shop in their keys, see docs/adr/0039-shard-keys.md. */
const notByShop = [
  'reservation',
  'inbox',
  'outbox',
  'stored_outcome',
  'queue_mark',
  'mikro_orm_migrations',
];

describe('the keys of the warehouse database', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  it('have the shop in each primary key and unique index', async () => {
    const keys = await stock.query<{ table: string; columns: string[] }>(
      `select t.relname as "table", i.relname as index, array(
           select attname::text from pg_attribute a
           where a.attrelid = t.oid and a.attnum = any(x.indkey)) as columns
       from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
       where x.indisunique and t.relnamespace = 'public'::regnamespace and t.relname <> all($1)`,
      [notByShop],
    );
    expect(keys.length).toBeGreaterThan(9);
    expect(keys.filter(({ columns }) => !columns.includes('shop_id'))).toEqual([]);
  });

  it('have the shop in each foreign key, so that it stays within one shop', async () => {
    const keys = await stock.query<{ definition: string }>(
      `select conrelid::regclass || ' ' || pg_get_constraintdef(oid) as definition
       from pg_constraint
       where contype = 'f' and conparentid = 0 and confrelid <> 'reservation'::regclass`,
    );
    expect(keys.length).toBeGreaterThan(8);
    const across = keys.filter(
      ({ definition }) => !/\(shop_id, \w+\) REFERENCES \w+\(shop_id, \w+\)/.test(definition),
    );
    expect(across).toEqual([]);
  });
});
