import type { EntityManager } from '@mikro-orm/postgresql';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { AssertionFailed } from '../../shared/assert.js';
import { connect, disconnect } from '../../shared/database/connect.js';
import { sql } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { OrderStatus, shopOrderTransitions } from '../order/status.js';
import { changeOrders, type OrderChange } from '../order/transitions/change-orders.js';
import { changeShopOrders } from './change-shop-orders.js';

const statuses = Object.keys(OrderStatus) as OrderStatus[];
const decided = statuses.filter((status) => status !== 'PENDING');

describe('a shop order', () => {
  const targets = ['SHIPPED', 'DELIVERED', 'CANCELLED'] as const;
  const pairs = statuses.flatMap((from) =>
    targets
      .filter((to) => !shopOrderTransitions[from].includes(to))
      .map((to) => [from, to] as const),
  );

  it.each(pairs)('is not changed from %s to %s', async (status, to) => {
    // A statement would throw another error: it has no database.
    const [id, customerId, shopId] = [newId(), newId(), newId()];
    const order = { id, customerId, status, shopOrders: [{ id, shopId, status }] };
    const change = { shopOrderIds: [id], to, actor: 'test' };
    await expect(changeShopOrders({} as EntityManager, order, change)).rejects.toThrow(
      AssertionFailed,
    );
  });
});

describe('an order', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    orm = await connect({ name: 'test', url: databases.urls.order, poolMax: 2 }, databaseSchema);
  });
  afterAll(async () => {
    await disconnect(orm);
    await databases.drop();
  });

  const changes: OrderChange[] = [
    { to: 'HELD', expiresAt: new Date() },
    { to: 'CONFIRMED' },
    { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' },
  ];
  const all = decided.flatMap((status) =>
    changes.map((change) => [status, change.to, change] as const),
  );

  it.each(all)(
    'that is %s is left as it is by a change of a pending one to %s',
    async (status, _, change) => {
      const id = newId();
      const em = orm.em.fork();
      const reason = status === 'CANCELLED' ? 'BY_CUSTOMER' : null;
      await sql(
        em,
        `with part as (insert into shop_order (customer_id, id, order_id, shop_id, status)
         values ($1, $1, $1, $1, $2))
       insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number,
         status, cancel_reason) values ($1, $1, 1, 'USD', '{}', nextval('order_number'), $2, $3)`,
        [id, status, reason],
      );
      const rows = () =>
        sql(
          em,
          `select o.*, s.status as part, s.never_paid, (select count(*) from order_event e
           where e.order_id = o.id) as events
         from customer_order o join shop_order s on s.order_id = o.id where o.id = $1`,
          [id],
        );
      const before = await rows();
      expect(await changeOrders(em, [{ order: { customerId: id, id }, change }])).toEqual([false]);
      expect(await rows()).toEqual(before);
    },
  );
});
