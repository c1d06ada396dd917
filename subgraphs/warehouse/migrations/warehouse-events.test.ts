import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { expectStockInvariantsOf, logger } from '../../../tests/harness/stock-engine.js';
import { connect, disconnect } from '../../shared/database/connect.js';
import { migrate } from '../../shared/database/run-migrations.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { recordWarehouseEvent } from '../warehouse/warehouse-event.js';

const name = '20261129-warehouse-events';
const before = {
  ...databaseSchema,
  migrations: databaseSchema.migrations?.filter((migration) => migration.name < name) ?? [],
};

describe('warehouses that were created before they had a history', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'warehouse'>>>;
  let client: pg.Client;
  const [active, inactive, shopId] = [newId(), newId(), newId()];
  const settings = () => ({ name: 'warehouse', url: databases.urls.warehouse, poolMax: 1, logger });

  beforeAll(async () => {
    databases = await createTestDatabases(['warehouse']);
    client = new pg.Client({ connectionString: databases.urls.warehouse });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    await migrate(settings(), before);
    await client.query(
      `insert into warehouse (id, shop_id, name, active)
       values ($1, $3, 'Main', true), ($2, $3, 'Overflow', false)`,
      [active, inactive, shopId],
    );
    await migrate(settings(), databaseSchema);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  const history = async (id: string) => {
    const { rows } = await client.query<{ event: string }>(
      `select type || ' ' || actor as event from warehouse_event where warehouse_id = $1
       order by id`,
      [id],
    );
    return rows.map(({ event }) => event);
  };

  it('have one event with their state at the migration', async () => {
    await expectStockInvariantsOf(client);
    expect(await history(active)).toEqual(['ACTIVATED migration']);
    expect(await history(inactive)).toEqual(['DEACTIVATED migration']);
  });

  it('have later events after it', async () => {
    const orm = await connect(settings(), databaseSchema);
    const event = { shopId, warehouseId: active, type: 'DEACTIVATED', actor: 'test' } as const;
    await recordWarehouseEvent(orm.em.fork(), event);
    await disconnect(orm);
    expect(await history(active)).toEqual(['ACTIVATED migration', 'DEACTIVATED test']);
  });
});
