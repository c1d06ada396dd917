import { openTestDatabase, type TestDatabase } from '../../tests/harness/databases.js';
import { newId } from '../shared/ids.js';
import { gaugeOf, Registry } from '../shared/observability/metrics.js';
import { orderGauges } from './metrics.js';
import { databaseSchema } from './mikro-orm.config.js';

describe('the metrics of stuck orders, payments and refunds', () => {
  let orm: TestDatabase['orm'];
  let client: TestDatabase['client'];
  let close: TestDatabase['close'];
  beforeAll(async () => {
    ({ orm, client, close } = await openTestDatabase('order', databaseSchema, { poolMax: 2 }));
  });
  afterAll(() => close());

  async function readMetrics() {
    const registry = new Registry();
    for (const { read, ...gauge } of orderGauges) {
      gaugeOf(registry, gauge, () => read({ em: orm.em.fork() }));
    }
    const values = (await registry.getMetricsAsJSON()).map(({ name, values }) => {
      return [name, Math.round(values[0]?.value as number)];
    });
    return Object.fromEntries(values);
  }

  it('are 0 while nothing is stuck, and otherwise the age of the oldest', async () => {
    const [orderId, finished, stuck] = [newId(), newId(), newId()];
    await client.query(
      `insert into customer_order
         (id, customer_id, total_amount, currency_code, shipping_address, expires_at, number)
       values ($1, $1, 1, 'USD', '{}', now() + interval '15 min', 'H1')`,
      [orderId],
    );
    await client.query(
      `insert into payment (id, order_id, customer_id, amount, status, failure, provider, created_at)
       values ($1, $2, $2, 1, 'FAILED', 'DECLINED', 'sandbox', now() - interval '3 h')`,
      [finished, orderId],
    );
    expect(await readMetrics()).toEqual({
      holdfast_order_overdue_seconds: 0,
      holdfast_payment_oldest_seconds: 0,
      holdfast_payments_unread: 0,
      holdfast_refund_oldest_seconds: 0,
      holdfast_refunds_failed: 0,
      holdfast_refunds_at_provider: 0,
      holdfast_disputes_open: 0,
      holdfast_sequence_used_ratio: 0,
    });
    await client.query(`update customer_order set expires_at = now() - interval '100 s'`);
    await client.query(
      `insert into payment (id, order_id, customer_id, amount, provider, created_at, next_attempt_at)
       values ($1, $2, $2, 1, 'sandbox', now() - interval '2 h', now() + interval '1 min')`,
      [stuck, orderId],
    );
    await client.query(
      `insert into refund (customer_id, id, payment_id, amount, reason, created_at)
       values ($2, $1, $1, 1, 'test', now() - interval '1 h')`,
      [stuck, orderId],
    );
    const ages = await readMetrics();
    expect(Math.floor(ages.holdfast_order_overdue_seconds / 100)).toBe(1);
    expect(Math.floor(ages.holdfast_payment_oldest_seconds / 100)).toBe(72);
    expect(Math.floor(ages.holdfast_refund_oldest_seconds / 100)).toBe(36);
  });

  it('show what a person has to look at: failed refunds, those made at the provider, open disputes', async () => {
    const payment = `(select id, customer_id from payment limit 1) payment`;
    await client.query(
      `insert into refund (customer_id, id, payment_id, amount, reason, status, failure_reason, origin)
       select customer_id, $1, id, 1, 'test', 'FAILED', 'closed card', 'DASHBOARD' from ${payment}`,
      [newId()],
    );
    await client.query(
      `insert into dispute
         (customer_id, id, payment_id, provider_dispute_id, status, amount, reason)
       select customer_id, gen_random_uuid(), id, status, status, 1, 'fraudulent'
       from ${payment}, unnest(array['INQUIRY', 'OPEN', 'LOST']) status`,
    );
    expect(await readMetrics()).toMatchObject({
      ...{ holdfast_refunds_failed: 1, holdfast_refunds_at_provider: 1, holdfast_disputes_open: 1 },
    });
    // A refund that waits for a dispute is not stuck.
    await client.query(`update dispute set payment_id = (select payment_id from refund
      where status = 'PENDING') where status = 'OPEN'`);
    const refunds = orderGauges.find(({ name }) => name === 'holdfast_refund_oldest_seconds');
    expect(await refunds?.read({ em: orm.em.fork() })).toEqual({ PENDING: 0, SENT: 0 });
  });

  it('show what is used up of each sequence', async () => {
    const reader = orderGauges.find(({ name }) => name === 'holdfast_sequence_used_ratio');
    await client.query(`create sequence small as smallint; select setval('small', 26214)`);
    await client.query(`select setval('order_number', 9223372036854775807)`);
    expect(await reader?.read({ em: orm.em.fork() })).toMatchObject({
      order_number: 1,
      small: expect.closeTo(0.8, 3),
    });
  });
});
