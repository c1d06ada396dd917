import { databaseSchema } from '../../subgraphs/order/mikro-orm.config.js';
import { findOrderKey } from '../../subgraphs/order/order/find-order-key.js';
import type { PaymentApp } from '../../subgraphs/order/payment/payment-app.js';
import { createPaymentFaults } from '../../subgraphs/order/payment/provider/payment-faults.js';
import { paymentProviders } from '../../subgraphs/order/payment/provider/providers.js';
import { createLookUpSharing } from '../../subgraphs/order/payment/provider/share-look-ups.js';
import { Payment } from '../../subgraphs/order/payment/state/payment.js';
import { createPaymentWrites } from '../../subgraphs/order/payment/state/payment-writes.js';
import { storeTransactionsSql } from '../../subgraphs/order/payment/state/provider-transaction.js';
import type { RowKey } from '../../subgraphs/order/row-key.js';
import type { DecidedReservation } from '../../subgraphs/order/warehouse-client/reservations.js';
import { connect, disconnect } from '../../subgraphs/shared/database/connect.js';
import { sql } from '../../subgraphs/shared/database/sql.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { createTestDatabases } from './databases.js';
import { fakePaymentProvider } from './fake-payment-provider.js';
import { logger } from './stock-engine.js';

/** What the warehouse answers about the reservation of an order: the first end wins, as there. */
function fakeReservations() {
  const ends = new Map<string, DecidedReservation>();
  const extended: string[] = [];
  const end = (orderId: string, answer: object) => {
    const decided = ends.get(orderId) ?? ({ orderId, ...answer } as DecidedReservation);
    ends.set(orderId, decided);
    return Promise.resolve(decided);
  };
  return {
    ends,
    /** the orders that were to be extended, in order */
    extended,
    /** Keeps what has not ended for that long from now. */
    async extend(orderId: string, reserveForMs: number): Promise<DecidedReservation> {
      extended.push(orderId);
      const expiresAt = new Date(Date.now() + reserveForMs).toISOString();
      return ends.get(orderId) ?? { orderId, state: 'HELD', expiresAt };
    },
    commit: (orderId: string, paymentId: string) => end(orderId, { state: 'COMMITTED', paymentId }),
    release: (orderId: string, reason: string) => end(orderId, { state: 'RELEASED', reason }),
  };
}

/** The order database, a provider in memory and a warehouse in memory: for tests of single steps. */
export async function openPaymentSteps(settings: { takesOurIds?: boolean } = {}) {
  const databases = await createTestDatabases(['order']);
  const url = databases.urls.order;
  const orm = await connect({ name: 'test', url, poolMax: 8, logger }, databaseSchema);
  const fake = fakePaymentProvider(settings);
  const reservations = fakeReservations();
  const registry = new Registry();
  const app = {
    orm,
    providers: paymentProviders(fake.provider),
    faults: createPaymentFaults(registry, logger),
    paymentWrites: createPaymentWrites(orm.em, fake.provider),
    shareLookUp: createLookUpSharing(),
    reservations,
    reserveForMs: 900_000,
    logger,
  } as unknown as PaymentApp;
  const rows = <T>(text: string, values: unknown[] = []) => sql<T>(orm.em.fork(), text, values);

  return {
    app,
    /** how many payments failed by a fault, by the code of the provider */
    async faults(): Promise<Record<string, number>> {
      const [metric] = await registry.getMetricsAsJSON();
      return Object.fromEntries(
        metric?.values.map(({ labels, value }) => [labels.code, value]) ?? [],
      );
    },
    fake,
    reservations,
    rows,
    /** An order of one shop, its stock held for `holdMs` more; by default its customer has its id. */
    async newOrder({
      holdMs = 60_000,
      amount = '10.00',
      customerId = '',
      reserveForMs = null as number | null,
    } = {}) {
      const [orderId, shopOrderId, shopId] = [newId(), newId(), newId()];
      const customer = customerId || orderId;
      await rows(
        `insert into customer_order (id, customer_id, total_amount, currency_code,
           shipping_address, number, expires_at, reserve_for_ms)
         values ($1, $4, $2, 'USD', '{}', 'H' || nextval('order_number'),
           now() + $3 * interval '1 ms', $5)`,
        [orderId, amount, holdMs, customer, reserveForMs],
      );
      await rows(
        'insert into shop_order (customer_id, id, order_id, shop_id) values ($4, $1, $2, $3)',
        [shopOrderId, orderId, shopId, customer],
      );
      await rows(
        `insert into order_item (customer_id, id, shop_order_id, offer_id, sku, name,
           unit_price_amount, currency_code, quantity)
         values ($4, $1, $2, $1, 'SKU', 'It', $3, 'USD', 1)`,
        [newId(), shopOrderId, amount, customer],
      );
      await rows('insert into purchase (customer_id, shop_id, sku, units) values ($1, $2, $3, 1)', [
        customer,
        shopId,
        'SKU',
      ]);
      return { orderId, shopOrderId, amount };
    },
    /** A payment in a status, as if a process had left it there. */
    async newPayment(
      { orderId, amount }: { orderId: string; amount: string },
      status = 'PENDING',
      {
        provider = 'fake',
        ageMs = 60_000,
        transactionId = `tx-${newId()}` as string | null,
        endsOrder = false,
      } = {},
    ) {
      const id = newId();
      await rows(
        `with inserted as (
           insert into payment (id, order_id, customer_id, amount, status, failure, provider,
             provider_transaction_id, ends_order, next_attempt_at, created_at)
           values ($1, $2, $2, $3, $4, $5, $9, $6, $7, now() + interval '1 hour',
             now() - $8 * interval '1 ms') returning *
         ) ${storeTransactionsSql('inserted')}`,
        [
          ...[id, orderId, amount, status, status === 'FAILED' ? 'DECLINED' : null],
          ...[transactionId, endsOrder, ageMs, provider],
        ],
      );
      return this.read(id);
    },
    /** The key of an order. */
    keyOf: async (orderId: string) => (await findOrderKey(orm.em.fork(), orderId)) as RowKey,
    read: (id: string) => orm.em.fork().findOneOrFail(Payment, { id }),
    async orderOf(orderId: string) {
      const [order] = await rows<{ status: string; reason: string | null }>(
        'select status, cancel_reason as reason from customer_order where id = $1',
        [orderId],
      );
      return order;
    },
    refundsOf: (paymentId: string) =>
      rows<{ id: string; status: string; amount: string; failureReason: string; origin: string }>(
        `select id, status, amount, failure_reason as "failureReason", origin from refund
         where payment_id = $1 order by id`,
        [paymentId],
      ),
    historyOf: async (orderId: string) =>
      (
        await rows<{ entry: string }>(
          `select concat_ws(' ', type, reason) as entry from order_event where order_id = $1
           order by id`,
          [orderId],
        )
      ).map(({ entry }) => entry),
    async close() {
      await disconnect(orm);
      await databases.drop();
    },
  };
}
export type PaymentSteps = Awaited<ReturnType<typeof openPaymentSteps>>;
