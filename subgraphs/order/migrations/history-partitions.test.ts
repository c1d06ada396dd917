import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { keepPartitions } from '../../shared/database/partitions/keep-partitions.js';
import { addMonths, firstDayOf, monthOf } from '../../shared/database/partitions/month.js';
import { migrate } from '../../shared/database/run-migrations.js';
import { lowestIdAt, newId, newIdAt } from '../../shared/ids.js';
import { createLogger } from '../../shared/observability/logger.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { sinceOrders } from '../order/order-history.js';

const name = '20261206-history-partitions';
const before = {
  ...databaseSchema,
  migrations: databaseSchema.migrations?.filter((migration) => migration.name < name) ?? [],
};
const logger = createLogger('test', 'silent');

const zones = ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago'];

describe.each(zones)('the history of orders that is partitioned by a server in %s', (zone) => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let client: pg.Client;
  const thisMonth = monthOf(new Date());
  const months = Array.from({ length: 5 }, (_, n) => addMonths(thisMonth, n - 4));
  const customerId = newId();
  const ids = months.map((month) => newIdAt(firstDayOf(month).getTime() + 14 * 86_400_000));
  let inserted: object[];
  const readAll = async () =>
    (await client.query<object>('select e.* from order_event e order by id')).rows;

  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    client = new pg.Client({ connectionString: databases.urls.order });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    await client.query(`alter database ${client.database} set timezone = '${zone}'`);
    await client.query(`set timezone = '${zone}'`);
    const settings = { name: 'order', url: databases.urls.order, poolMax: 1, logger };
    await migrate(settings, before);
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
       select unnest($1::uuid[]), $2, 2, 'USD', '{}'`,
      [ids, customerId],
    );
    await client.query(
      `insert into order_event (id, customer_id, order_id, type, actor)
       select id, $2, id, 'PLACED', 'test' from unnest($1::uuid[]) as id`,
      [ids, customerId],
    );
    inserted = await readAll();
    await migrate(settings, databaseSchema);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });
  const partition = (month: string) => `order_event_${month.replace('-', '_')}`;

  it('has all its entries, each in its month', async () => {
    expect(inserted).toHaveLength(5);
    expect(await readAll()).toEqual(inserted);
    const { rows } = await client.query<{ name: string }>(
      'select tableoid::regclass::text as name from order_event order by id',
    );
    expect(rows.map((row) => row.name)).toEqual(months.map(partition));
  });

  it('has partitions that begin and end with months in UTC', async () => {
    const { rows } = await client.query<{ bounds: string; zone: string }>(
      `select pg_get_expr(relpartbound, c.oid) as bounds, current_setting('timezone') as zone
       from pg_inherits join pg_class c on c.oid = inhrelid
       where inhparent = 'order_event'::regclass and relname <> 'order_event_default'
       order by relname`,
    );
    const ends = Array.from({ length: 9 }, (_, n) => addMonths(thisMonth, n - 4)).map((month) =>
      lowestIdAt(firstDayOf(month).getTime()),
    );
    expect(rows).toEqual(
      ends.slice(1).map((end, n) => ({
        bounds: `FOR VALUES FROM ('${ends[n]}') TO ('${end}')`,
        zone,
      })),
    );
  });

  it('is not changed, neither in the whole nor in a partition, and no key refers to it', async () => {
    for (const table of ['order_event', partition(thisMonth)]) {
      for (const change of [`update ${table} set reason = 'x'`, `delete from ${table}`]) {
        await expect(client.query(change)).rejects.toThrow('append-only');
      }
    }
    const keys = `select from pg_constraint join pg_partitioned_table on partrelid = confrelid`;
    expect((await client.query(keys)).rowCount).toBe(0);
  });

  it('is read since the month of the order', async () => {
    const [orderId = ''] = ids.slice(3);
    const { rows } = await client.query(
      `explain select * from order_event where customer_id = $1 and order_id = $2
         and ${sinceOrders([{ parentId: orderId }])} order by id limit 21`,
      [customerId, orderId],
    );
    const read = [...JSON.stringify(rows).matchAll(/ on (order_event_\w+)/g)].map(
      ([, table]) => table,
    );
    const since = [-1, 0, 1, 2, 3].map((count) => partition(addMonths(thisMonth, count)));
    expect(read.toSorted()).toEqual([...since, 'order_event_default'].toSorted());
    expect(sinceOrders([{ parentId: 'ffffffff-ffff-4fff-8fff-ffffffffffff' }])).toContain(
      '1970-01-01',
    );
  });

  it('loses the months that are kept no longer', async () => {
    const parts = { databaseUrl: databases.urls.order, logger };
    const keep = () => keepPartitions(parts, [{ table: 'order_event', keepMonths: 2 }]);
    await keep();
    expect(await readAll()).toEqual(inserted.slice(1));
    await keep();
    expect(await readAll()).toEqual(inserted.slice(2));
    await keep();
    expect(await readAll()).toEqual(inserted.slice(2));
  });
});
