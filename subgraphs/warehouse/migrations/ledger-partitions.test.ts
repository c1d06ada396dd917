import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { readMonths } from '../../shared/database/partitions/keep-partitions.js';
import { addMonths, firstDayOf, monthOf } from '../../shared/database/partitions/month.js';
import { migrate } from '../../shared/database/run-migrations.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { movementId } from '../stock/movement-id.js';

const name = '20261206-ledger-partitions';
const before = {
  ...databaseSchema,
  migrations: databaseSchema.migrations?.filter((migration) => migration.name < name) ?? [],
};

describe('a ledger of five months that is partitioned', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'warehouse'>>>;
  let client: pg.Client;
  const thisMonth = monthOf(new Date());
  const months = Array.from({ length: 5 }, (_, n) => addMonths(thisMonth, n - 4));
  const [shopId, warehouseId, levelId] = [newId(), newId(), newId()];
  let inserted: object[];
  const readAll = async () =>
    (await client.query<object>('select m.* from stock_movement m order by seq')).rows;

  beforeAll(async () => {
    databases = await createTestDatabases(['warehouse']);
    client = new pg.Client({ connectionString: databases.urls.warehouse });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    const settings = { name: 'warehouse', url: databases.urls.warehouse, poolMax: 1, logger };
    await migrate(settings, before);
    await client.query(`insert into warehouse (id, shop_id, name) values ($1, $2, 'Main')`, [
      warehouseId,
      shopId,
    ]);
    await client.query(`insert into stock_item (shop_id, sku) values ($1, 'MUG')`, [shopId]);
    await client.query(
      `insert into stock_level (id, warehouse_id, shop_id, sku) values ($1, $2, $3, 'MUG')`,
      [levelId, warehouseId, shopId],
    );
    const ids = months.map((month, n) => movementId(firstDayOf(month).getTime(), n + 1));
    const other = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
    await client.query(
      `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
         on_hand, reserved, committed, unavailable, actor)
       select $1, $2, id, seq, 'RECEIPT', 1, 0, seq, 0, 0, 0, 'test'
       from unnest($3::uuid[]) with ordinality as m (id, seq)`,
      [shopId, levelId, [...ids, other]],
    );
    inserted = await readAll();
    await migrate(settings, databaseSchema);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  it('has all its movements, each in its month, and those that have none in the default', async () => {
    expect(inserted).toHaveLength(6);
    expect(await readAll()).toEqual(inserted);
    const { rows } = await client.query<{ name: string }>(
      'select tableoid::regclass::text as name from stock_movement order by seq',
    );
    expect(rows.map(({ name }) => name)).toEqual([
      ...months.map((month) => `stock_movement_${month.replace('-', '_')}`),
      'stock_movement_default',
    ]);
  });

  it('has partitions without a gap until three months ahead', async () => {
    const ahead = [1, 2, 3].map((count) => addMonths(thisMonth, count));
    expect(await readMonths(client, 'stock_movement')).toEqual([...months, ...ahead]);
  });
});
