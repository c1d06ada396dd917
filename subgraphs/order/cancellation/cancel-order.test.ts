import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { connect, disconnect } from '../../shared/database/connect.js';
import { OutcomeUnknown, tryAgain, UpstreamFault } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import type { OrderContext } from '../context.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { cancelOrder } from './cancel-order.js';

describe('the cancellation of an unpaid order, whose release was sent', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let client: pg.Client;
  let orm: Awaited<ReturnType<typeof connect>>;
  let proxy: Awaited<ReturnType<typeof startPostgresProxy>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    client = new pg.Client({ connectionString: databases.urls.order });
    await client.connect();
    proxy = await startPostgresProxy(databases.urls.order);
    orm = await connect({ name: 'test', url: proxy.url, poolMax: 2, logger }, databaseSchema);
  });
  afterAll(async () => {
    await Promise.all([client.end(), disconnect(orm)]);
    await databases.drop();
  });

  /** Cancels a new order. @param release what the warehouse subgraph does */
  async function cancelNew(release: () => Promise<object>) {
    const [orderId, customerId] = [newId(), newId()];
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, status,
         number)
       values ($1, $2, 2, 'USD', '{}', 'PENDING', nextval('order_number'))`,
      [orderId, customerId],
    );
    const identity = { id: customerId, role: 'CUSTOMER' as const, sessionId: newId() };
    const app = { reservations: { release } };
    const context = { em: orm.em.fork(), app, logger, caller: 'router', identity };
    return cancelOrder(context as unknown as OrderContext, orderId);
  }

  it.each([
    ['was not answered', tryAgain('Service temporarily unavailable.')],
    ['was answered with a fault', new UpstreamFault('the warehouse subgraph responded: no data')],
  ])('has an unknown outcome if it %s', async (_, error) => {
    await expect(cancelNew(() => Promise.reject(error))).rejects.toThrow(OutcomeUnknown);
  });

  it('has an unknown outcome if the database is unavailable by then', async () => {
    const released = cancelNew(async () => {
      await proxy.stop();
      return { state: 'RELEASED' };
    });
    await expect(released).rejects.toThrow(OutcomeUnknown);
  });
});
