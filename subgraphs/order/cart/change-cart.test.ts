import { createTestDatabases } from '../../../tests/harness/databases.js';
import { connect } from '../../shared/database/connect.js';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { changeCart } from './change-cart.js';

describe('the hundred lines of a cart', () => {
  let database: { drop(): Promise<void> };
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    const made = await createTestDatabases(['order']);
    database = made;
    orm = await connect({ name: 'test', url: made.urls.order, poolMax: 5 }, databaseSchema);
  });
  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  const lines = (length: number) =>
    Array.from({ length }, () => ({
      offerId: newId(),
      saleId: null,
      quantity: 2,
      name: 'It',
      unitPriceAmount: '1.00',
      currencyCode: 'USD',
    }));
  const change = (customerId: string, how: 'add' | 'restore', changes: ReturnType<typeof lines>) =>
    transact(orm.em.fork(), (tx) => changeCart(tx, customerId, how, changes));
  const offersOf = async (customerId: string) =>
    (
      await sql<{ id: string }>(
        orm.em.fork(),
        'select offer_id as id from cart_item where customer_id = $1',
        [customerId],
      )
    ).map(({ id }) => id);

  it('are not exceeded by a customer', async () => {
    const customer = newId();
    await change(customer, 'add', lines(100));
    await expect(change(customer, 'add', lines(1))).rejects.toThrow('100 lines at most');
    expect(await offersOf(customer)).toHaveLength(100);
  });

  it('are not exceeded by an order that returns its lines: those that do not fit are left out', async () => {
    const customer = newId();
    const [own, returned] = [lines(95), lines(10)];
    const [shared] = own;
    await change(customer, 'add', own);
    await change(customer, 'restore', [...returned, ...(shared ? [shared] : [])]);
    const offers = await offersOf(customer);
    expect(offers).toHaveLength(100);
    expect(offers).toEqual(expect.arrayContaining(own.map(({ offerId }) => offerId)));
    const [counted] = await sql<{ units: number }>(
      orm.em.fork(),
      `select sum(units)::int as units from units_in_carts
       where offer_id = any($1::uuid[])`,
      [[...own, ...returned].map(({ offerId }) => offerId)],
    );
    expect(counted?.units).toBe(100 * 2 + 2);
  });
});
