import { startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { lockById } from '../locks.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { moveStock } from './move-stock.js';

describe('a transaction that writes no movement, whose COMMIT was not answered', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  it('runs again if its rows are not there: its id may be that of another transaction', async () => {
    const proxy = await startPostgresProxy(stock.url);
    const engine = await stock.engine({ databaseUrl: proxy.url });
    const { warehouses } = await stockUp(engine, [1]);
    let runs = 0;
    proxy.cutNextCommit('after PostgreSQL has committed');
    await moveStock(
      engine,
      async (em) => {
        runs += 1;
        await lockById(em, Warehouse, warehouses[0] as Warehouse);
      },
      { isStored: async () => false },
    );
    expect(proxy.cuts()).toBe(1);
    expect(runs).toBe(2);
    await proxy.stop();
  });
});
