import { openTestDatabase, type TestDatabase } from '../../tests/harness/databases.js';
import { recordStatements } from '../../tests/harness/record-statements.js';
import { newId } from '../shared/ids.js';
import { databaseSchema } from './mikro-orm.config.js';
import { Order } from './order/order.js';
import { requireRow } from './require-row.js';
import type { RowKey } from './row-key.js';

describe('rows that are read at the same time', () => {
  let database: TestDatabase;
  let keys: RowKey[];
  beforeAll(async () => {
    database = await openTestDatabase('order', databaseSchema);
    keys = Array.from({ length: 5 }, () => ({ customerId: newId(), id: newId() }));
    for (const { customerId, id } of keys) {
      await database.client.query(
        `insert into customer_order
           (customer_id, id, total_amount, currency_code, shipping_address)
         values ($1, $2, '5.00', 'USD', '{}')`,
        [customerId, id],
      );
    }
  });
  afterAll(() => database.close());

  const read = (key: RowKey) => requireRow(database.orm.em.fork(), Order, key);

  it('are read by one statement', async () => {
    const { value, statements } = await recordStatements(() => Promise.all(keys.map(read)));
    expect(value.map(({ customerId, id }) => ({ customerId, id }))).toEqual(keys);
    expect(value[0]).toMatchObject({ totalAmount: '5.00', currencyCode: 'USD' });
    expect(statements).toHaveLength(1);
  });

  it('fail alone, where there is none of that customer', async () => {
    const [first, second] = keys as [RowKey, RowKey];
    const ofOther = { customerId: second.customerId, id: first.id };
    const outcomes = await Promise.allSettled([first, ofOther, first].map(read));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({
      reason: { message: `customer_order not found: ${first.id}` },
    });
  });
});
