import { openTestDatabase, type TestDatabase } from '../../../tests/harness/databases.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { prunablesOf, prune as pruneRows } from '../../shared/database/prune.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { Cart } from './cart.js';

describe('the retention of carts', () => {
  let orm: TestDatabase['orm'];
  let client: TestDatabase['client'];
  let close: TestDatabase['close'];
  beforeAll(async () => {
    ({ orm, client, close } = await openTestDatabase('order', databaseSchema));
  });
  afterEach(() => client.query('truncate cart, cart_item'));
  afterAll(() => close());

  /** A cart with two lines that was last changed some days ago. */
  async function idleFor(days: number, { counted = false } = {}): Promise<string> {
    const customerId = newId();
    await client.query(
      `with added as (
         insert into cart (customer_id, shard, counted, updated_at)
         values ($1, 0, $2, now() - $3 * interval '1 day') returning customer_id)
       insert into cart_item (customer_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
       select customer_id, gen_random_uuid(), gen_random_uuid(), 'S', 1, 'USD', 1
       from added, generate_series(1, 2)`,
      [customerId, counted, days],
    );
    return customerId;
  }
  const prune = () => pruneRows(orm.em, prunablesOf(orm.em, [Cart]), logger);
  /** The customers of the carts that are left, and the number of lines. */
  async function left() {
    const carts = await client.query('select customer_id from cart order by customer_id');
    const lines = await client.query('select count(*)::int as lines from cart_item');
    return { carts: carts.rows.map((row) => row.customer_id), lines: lines.rows[0].lines };
  }

  it('deletes those that nobody changed for 400 days, with their lines, and no others', async () => {
    await idleFor(401);
    await idleFor(500);
    const recent = await idleFor(399);
    expect(await prune()).toBe(2);
    expect(await left()).toEqual({ carts: [recent], lines: 2 });
  });

  it('keeps those whose units are counted, however old they are', async () => {
    const counted = await idleFor(1000, { counted: true });
    expect(await prune()).toBe(0);
    expect(await left()).toEqual({ carts: [counted], lines: 2 });
  });

  it('leaves a cart alone that its customer is changing, and keeps it once it was changed', async () => {
    const changing = await idleFor(401);
    await client.query('begin');
    await client.query('update cart set updated_at = now() where customer_id = $1', [changing]);
    expect(await prune()).toBe(0);
    await client.query('commit');
    expect(await prune()).toBe(0);
    expect(await left()).toEqual({ carts: [changing], lines: 2 });
  });
});
