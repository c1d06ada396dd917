import { openTestDatabase, type TestDatabase } from '../../../tests/harness/databases.js';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { newId } from '../../shared/ids.js';
import { lockedCounters, raisedCounters } from '../counters.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { purchases, subtractPurchases } from './count-purchases.js';

describe('the purchases of a customer', () => {
  let orm: TestDatabase['orm'];
  let client: TestDatabase['client'];
  let close: TestDatabase['close'];
  beforeAll(async () => {
    ({ orm, client, close } = await openTestDatabase('order', databaseSchema, { poolMax: 8 }));
  });
  afterAll(() => close());

  const skus = ['A', 'B', 'C'];
  /** Inserts an order of the units of each sku, whose purchases can be counted and subtracted. */
  async function orderOf(customerId: string, shopId: string, units: readonly number[]) {
    const id = newId();
    const lines = units.flatMap((quantity, n) =>
      quantity > 0 ? [{ offerId: id, shopId, sku: skus[n] as string, quantity }] : [],
    );
    await client.query(
      `with placed as (
         insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
         values ($1, $2, 1, 'USD', '{}')
       ), part as (
         insert into shop_order (customer_id, id, order_id, shop_id) values ($2, $1, $1, $3)
       )
       insert into order_item
         (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
       select $2, gen_random_uuid(), $1, $1, sku, sku, 1, 'USD', quantity
       from unnest($4::text[], $5::int[]) as line (sku, quantity)`,
      [id, customerId, shopId, lines.map(({ sku }) => sku), lines.map(({ quantity }) => quantity)],
    );
    const bought = `with line as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[])
          as line (customer_id, shop_id, sku, quantity)
      ), ${lockedCounters(purchases, 'line', 'line')}, ${raisedCounters(purchases, 'line')} select`;
    const columns = [
      lines.map(() => customerId),
      lines.map((line) => line.shopId),
      lines.map((line) => line.sku),
      lines.map((line) => line.quantity),
    ];
    return {
      /** Another order may create a counter meanwhile: then it is counted again. */
      async count(): Promise<void> {
        try {
          await sql(orm.em.fork(), bought, columns);
        } catch (error) {
          if (!isUniqueViolation(error, 'purchase_pkey')) throw error;
          await this.count();
        }
      },
      subtract: () => transact(orm.em, (em) => subtractPurchases(em, customerId, lines)),
    };
  }
  const unitsOf = async (customerId: string) => {
    const { rows } = await client.query<{ sku: string; units: string }>(
      'select sku, units from purchase where customer_id = $1',
      [customerId],
    );
    return Object.fromEntries(rows.map(({ sku, units }) => [sku, Number(units)]));
  };

  it('have no counter of 0', async () => {
    const [customer, shop] = [newId(), newId()];
    const [one, other] = [
      await orderOf(customer, shop, [1, 2, 0]),
      await orderOf(customer, shop, [0, 3, 4]),
    ];
    await one.count();
    await other.count();
    expect(await unitsOf(customer)).toEqual({ A: 1, B: 5, C: 4 });
    await one.subtract();
    expect(await unitsOf(customer)).toEqual({ B: 3, C: 4 });
    await other.subtract();
    expect(await unitsOf(customer)).toEqual({});
  });

  it('have no counter below 0, also where one was wrong', async () => {
    const [customer, shop] = [newId(), newId()];
    const order = await orderOf(customer, shop, [2, 3, 4]);
    await order.count();
    await client.query(
      `update purchase set units = case sku when 'A' then 1 else units + 1 end where customer_id = $1`,
      [customer],
    );
    await order.subtract();
    expect(await unitsOf(customer)).toEqual({ B: 1, C: 1 });
  });

  it('are exact when orders are placed and cancelled at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      const [customer, shop] = [newId(), newId()];
      const units = Array.from({ length: 12 }, (_, n) => [1 + (n % 3), n % 2, (n * 7) % 4]);
      const orders = await Promise.all(units.map((each) => orderOf(customer, shop, each)));
      await Promise.all(
        orders.map(async (order, n) => {
          await order.count();
          if (n > 0) await order.subtract();
        }),
      );
      expect(await unitsOf(customer)).toEqual({ A: 1 });
      await orders[0]?.subtract();
      expect(await unitsOf(customer)).toEqual({});
    }
  });
});
