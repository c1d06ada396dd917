import { createTestDatabases } from '../../tests/harness/databases.js';
import { connect, disconnect } from '../shared/database/connect.js';
import { sql } from '../shared/database/sql.js';
import { databaseSchema } from './mikro-orm.config.js';

/** The tables that are not on the shard of a customer; docs/adr/0039-shard-keys.md says where they are instead. */
const exceptions = [
  // MikroORM’s.
  'mikro_orm_migrations',
  // Local to each node.
  'inbox',
  'outbox',
  // By user, who is the customer of their orders.
  'idempotency_key',
  'stored_outcome',
  // By the value that is unique across customers.
  'numbered_order',
  'provider_transaction',
  'payment_event',
  // By sale: they count across customers.
  'sale_address',
  'sale_phone',
  // By offer; and one row for each provider and day.
  'units_in_carts',
  'reconciliation',
  'queue_mark',
  // By sale: the counts of refusals, and the numbers of tickets, which are drawn together.
  'sale_refusal',
  'sale_queue',
  'sale_ticket',
];

describe('the tables of the order subgraph', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    orm = await connect({ name: 'test', url: databases.urls.order, poolMax: 1 }, databaseSchema);
  });
  afterAll(async () => {
    await disconnect(orm);
    await databases.drop();
  });
  const rows = async (text: string) =>
    (await sql<{ name: string }>(orm.em.fork(), text, [exceptions])).map(({ name }) => name);

  const sharded = `select oid, relname from pg_class where relkind in ('r', 'p') and not relispartition
    and relnamespace = current_schema()::regnamespace and relname <> all($1::text[])`;
  const hasCustomer = (table: string, columns: string) => `exists (select from pg_attribute
    where attrelid = ${table} and attnum = any(${columns}) and attname = 'customer_id')`;

  it('have the customer in every primary key and unique index, except the named ones', async () => {
    const tables = await rows(`with sharded as (${sharded})
      select relname as name from sharded order by 1`);
    expect(tables).toEqual([
      ...['cart', 'cart_item', 'customer_hold', 'customer_order', 'dispute', 'order_event'],
      ...[
        'order_item',
        'payment',
        'purchase',
        'refund',
        'refund_line',
        'sale_purchase',
        'shop_order',
      ],
    ]);
    const keyed = await rows(`with sharded as (${sharded})
      select distinct relname as name from sharded join pg_index on indrelid = oid and indisprimary
      order by 1`);
    expect(keyed).toEqual(tables);
    const without = await rows(`with sharded as (${sharded})
      select indexrelid::regclass::text as name from sharded join pg_index on indrelid = oid
      where indisunique and not ${hasCustomer('indrelid', 'indkey::int2[]')} order by 1`);
    expect(without).toEqual([]);
  });

  it('have the customer on both sides of every foreign key, and none of it crosses shards', async () => {
    const keys = await rows(`with sharded as (${sharded})
      select conname as name from pg_constraint join sharded on sharded.oid = conrelid
      where contype = 'f' and conparentid = 0 order by 1`);
    expect(keys).toHaveLength(10);
    const crossing = await rows(`with sharded as (${sharded})
      select conname as name from pg_constraint
      where contype = 'f' and conparentid = 0 and connamespace = current_schema()::regnamespace
        and not (conrelid in (select oid from sharded) and confrelid in (select oid from sharded)
          and ${hasCustomer('conrelid', 'conkey')} and ${hasCustomer('confrelid', 'confkey')})`);
    expect(crossing).toEqual([]);
  });

  it('are referred to by no foreign key where they are to be partitioned', async () => {
    const keys = await rows(`select conname as name from pg_constraint
      where contype = 'f' and confrelid = 'order_event'::regclass and $1::text[] is not null`);
    expect(keys).toEqual([]);
  });
});
