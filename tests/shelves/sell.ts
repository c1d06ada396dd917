import { newId } from '../../subgraphs/shared/ids.js';
import { createInboxResolver, type OutboxEvent } from '../../subgraphs/shared/messaging/inbox.js';
import { expireReservations } from '../../subgraphs/warehouse/expiry/expire-reservations.js';
import { onUnitsCancelled } from '../../subgraphs/warehouse/fulfilment/on-units-cancelled.js';
import { onUnitsShipped } from '../../subgraphs/warehouse/fulfilment/on-units-shipped.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
} from '../../subgraphs/warehouse/reservation/engine.js';
import { reassignShopOrder } from '../../subgraphs/warehouse/shortfall/reassign-shop-order.js';
import type { StockContext } from '../../subgraphs/warehouse/stock/stock-store.js';
import type { Warehouse } from '../../subgraphs/warehouse/warehouse/warehouse.js';
import { logger } from '../harness/stock-engine.js';
import type { Order, Parcel } from './records.js';
import { type Answers, type Handlers, momentMs, pick, type World } from './world.js';

const Inbox = createInboxResolver<StockContext>('test', {
  'order.units.shipped': onUnitsShipped,
  'order.units.cancelled': onUnitsCancelled,
});

type Kind =
  | 'buy'
  | 'pay'
  | 'release'
  | 'expire'
  | 'ship'
  | 'recordShipment'
  | 'cancel'
  | 'reassign';

/** What becomes of orders. */
export function sell({ stock, engine, notebook, shopId, sku, warehouses }: World): Handlers<Kind> {
  const pickHeld = (n: number) => pick(n, notebook.ordersIn('HELD'), notebook.orders);

  async function deliver(topic: OutboxEvent['topic'], { id: orderId, units }: Order, rest: object) {
    const [id, shopOrderId] = [newId(), newId()];
    const quantity = units.reduce((total, each) => total + each, 0);
    const ids = { shipmentId: id, cancellationId: id, shopOrderId, orderId, shopId };
    const payload = JSON.stringify({ ...ids, lines: [{ sku, quantity }], ...rest });
    const context = { em: engine.orm.em.fork(), app: engine, logger, caller: 'order' };
    const event = { id, topic, key: shopOrderId, version: 1, payload };
    const { accepted } = await new Inbox().deliver([event], context as unknown as StockContext);
    return { expected: 'delivered', actual: accepted[0] === id ? 'delivered' : 'not accepted' };
  }

  async function record(parcel: Parcel): Promise<Answers> {
    const shippedAt = new Date(parcel.leftAtMs).toISOString();
    const answers = await deliver('order.units.shipped', parcel.order, { shippedAt });
    return { ...answers, note: notebook.recordShipment(parcel) };
  }

  return {
    async buy({ units }) {
      const orderId = newId();
      const expected = notebook.buy(orderId, units);
      const lines = [{ shopId, sku, quantity: units }];
      const outcome = await reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
      const { state } = outcome;
      if (state !== 'SHORT') return { expected, actual: state };
      return { expected, actual: `SHORT: ${outcome.shortages[0]?.available} available` };
    },

    async pay({ n }) {
      const order = pickHeld(n);
      if (!order) return 'not possible';
      const expected = notebook.pay(order);
      const payment = { orderId: order.id, paymentId: newId() };
      const { state, reason } = await commitReservation(engine, payment);
      return { expected, actual: reason ? `${state}: ${reason}` : state };
    },

    async release({ n }) {
      const order = pickHeld(n);
      if (!order) return 'not possible';
      const expected = notebook.end(order, 'RELEASED');
      const request = { orderId: order.id, reason: 'BY_CUSTOMER' as const };
      const { state, reason } = await releaseReservation(engine, request);
      return { expected, actual: reason ? `${state}: ${reason}` : state };
    },

    async expire({ n, due }) {
      const order = pickHeld(n);
      if (!order) return 'not possible';
      const isExpired = due && order.state === 'HELD';
      if (isExpired) {
        notebook.end(order, 'EXPIRED');
        const query = 'update reservation set expires_at = now() where order_id = $1';
        await stock.query(query, [order.id]);
      }
      const [expired] = await expireReservations(engine, [order.id]);
      const expected = isExpired ? 'expired' : 'not due';
      return { expected, actual: expired === order.id ? 'expired' : 'not due' };
    },

    async ship({ n, recorded }) {
      const ready = notebook.unshipped().filter((order) => notebook.canHandOver(order));
      const order = pick(n, ready, ready);
      if (!order) return 'not possible';
      const parcel = notebook.handOver(order, await momentMs());
      return recorded ? record(parcel) : 'no answer';
    },

    async recordShipment({ n }) {
      const parcel = pick(n, notebook.parcels, notebook.parcels);
      return parcel ? record(parcel) : 'not possible';
    },

    async cancel({ n, reason }) {
      const order = pick(n, notebook.unshipped(), notebook.unshipped());
      if (!order) return 'not possible';
      const atMs = await momentMs();
      const answers = await deliver('order.units.cancelled', order, { reason });
      notebook.cancel(order, reason, atMs);
      return { ...answers, note: reason };
    },

    async reassign({ n, w }) {
      // The order subgraph refuses one that has left.
      const others = notebook.orders.filter((order) => !notebook.isLeaving(order));
      const order = pick(n, notebook.unshipped(), others);
      if (!order) return 'not possible';
      const expected = notebook.reassign(order, w);
      const to = warehouses[w] as Warehouse;
      const result = await reassignShopOrder(engine, { orderId: order.id, to, actor: 'test' });
      const actual = 'units' in result ? `${result.units} moved` : result.constructor.name;
      return { expected, actual };
    },
  };
}
