import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DisputeStatus } from '../../dev/payment-sandbox/store/records.js';
import { openSaleEvent, type SaleTerms } from '../sale-events/open-sale-event.js';
import { nodes } from './connections.js';
import { openPayments } from './payments.js';
import {
  address,
  checkout,
  checkoutOnce,
  checkoutWith,
  logIn,
  openShop,
  type Person,
  pay,
  payOnce,
  registerPerson,
} from './people.js';
import { retryUntil } from './retry.js';
import { startSystem } from './system.js';
import { eventually } from './wait.js';

const timeoutMs = 30_000;

type Shop = Awaited<ReturnType<typeof openShop>>;
export const cancelShopOrderMutation =
  'mutation ($input: CancelShopOrderInput!) { cancelShopOrder(input: $input) { __typename } }';

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
export type Reply = any;

/** Units of one offer that a customer may hold unpaid. */
export const unitsMax = 9999;

/**
 * A system with a shop and one customer at a time, and all that they can do. Each operation goes
 * through the router; the passing of time is simulated in the databases.
 */
export async function openShopping() {
  const system = await startSystem({ OPEN_UNITS_PER_OFFER_MAX: String(unitsMax) });
  const payments = await openPayments(system);
  const warehouse = new pg.Client({ connectionString: system.databases.warehouse });
  await warehouse.connect();
  const [vendor, admin] = [await registerPerson(system, 'VENDOR'), await logIn(system, 'ada')];
  const shop = await openShop(system, vendor, [1000]);
  let customer: Person;

  const ask = async (query: string, variables: object = {}, { token } = customer) => {
    const { data, errors } = await system.graphql(query, variables, token);
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as Reply;
  };
  const items = (quantity = 1, { offerId } = shop) => [{ offerId, quantity }];
  const order = async (more: object): Promise<Reply> => {
    const input = { idempotencyKey: randomUUID(), shippingAddress: address, ...more };
    const send = () => checkoutWith(system, customer, input);
    return (await retryUntil(send, Date.now() + timeoutMs))?.data.checkout;
  };
  const place = async (): Promise<string> =>
    (await checkout(system, customer, items())).data.checkout.order.id;
  const payBy = async (id: string, method?: string): Promise<Reply> =>
    (await pay(system, customer, id, method)).data.payOrder;
  const buy = async (method?: string): Promise<string> => {
    const id = await place();
    await payBy(id, method);
    return id;
  };
  const payAtOnce = async (method: string, key?: string): Promise<Reply> =>
    (await checkout(system, customer, items(), key, method)).data.checkout;
  const cancel = (id: string) =>
    ask(
      `mutation ($id: UUID!) { cancelOrder(id: $id) {
         __typename ... on Order { payments { ${nodes('refunds { status }')} } } } }`,
      { id },
    );
  const orderOf = (id: string) =>
    ask(
      `query ($id: UUID!) { order(id: $id) {
         status cancelReason shopOrders { id } payments { ${nodes('id status refunds { id status } disputes { status }')} } } }`,
      { id },
    );
  const newestOrder = async (): Promise<string> =>
    (await ask('{ orders(first: 1) { edges { node { id } } } }')).edges[0].node.id;
  /** Waits until an order has this value. */
  const until = async (id: string, wanted: string, pick: (order: Reply) => string) =>
    pick(
      await eventually(
        () => orderOf(id),
        (order) => pick(order) === wanted,
        timeoutMs,
      ),
    );
  const step = async (name: 'deliverShopOrder' | 'cancelShopOrder' | 'ship', orderId: string) => {
    const [{ id }] = (await orderOf(orderId)).shopOrders;
    if (name === 'cancelShopOrder') {
      return ask(cancelShopOrderMutation, { input: { id, reason: 'OTHER' } }, vendor);
    }
    if (name !== 'ship') {
      return ask(`mutation ($id: UUID!) { ${name}(id: $id) { __typename } }`, { id }, vendor);
    }
    const ship = `mutation ($input: ShipShopOrderInput!) { shipShopOrder(input: $input) { __typename } }`;
    return ask(ship, { input: { id } }, vendor);
  };
  const expire = async (id: string) => {
    const late = `update reservation set expires_at = now() - interval '2 s' where order_id = $1`;
    await warehouse.query(late, [id]);
    return until(id, 'CANCELLED', ({ status }) => status);
  };
  const add = (of: Shop, quantity: number, saleId?: string) =>
    ask('mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }', {
      input: { offerId: of.offerId, saleId, quantity },
    });
  /** A checkout that is repeated, and was refused so. */
  const refusedAs = async (outcome: object): Promise<Reply> => {
    const input = { idempotencyKey: randomUUID(), items: items(1, await removed()) };
    await order(input);
    await payments.order.query('update idempotency_key set outcome = $1 where key = $2', [
      outcome,
      input.idempotencyKey,
    ]);
    return order(input);
  };
  /** Joins the queue of a new sale. */
  const joinQueue = async (terms: Partial<SaleTerms> = {}): Promise<Reply> => {
    const { shopId, offerId } = await newShop();
    const lines = [{ offerId, price: '5.00', allocation: 5 }];
    const queued = { startsIn: 3600, lasts: 600, lines, admission: 'QUEUED' as const, ...terms };
    return join((await openSaleEvent(system, vendor, shopId, queued)).id);
  };
  const join = (saleId: string) =>
    ask('mutation ($id: UUID!) { joinSale(saleId: $id) { __typename } }', { id: saleId });
  /** The only line of the cart is to be bought in a sale. */
  const inSale = () =>
    payments.order.query('update cart_item set sale_id = offer_id where customer_id = $1', [
      customer.id,
    ]);
  const cartProblem = async () => (await ask('{ cart { items { problem } } }')).items[0].problem;
  const offer = ({ shopId, sku }: Shop, more: object) => {
    const input = { shopId, sku, price: '10.00', ...more };
    const set = 'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }';
    return ask(set, { input }, vendor);
  };
  const newShop = (units = 9, limit?: number) => openShop(system, vendor, [units], '10.00', limit);
  /** Another customer buys a unit. */
  const soldOne = (of: Shop) => checkout(system, vendor, items(1, of));
  const removed = async () => {
    const gone = await newShop();
    await offer(gone, { active: false });
    return gone;
  };
  const inEuros = async (): Promise<Shop> => {
    const input = { name: 'Euros', slug: `s-${randomUUID()}`, currencyCode: 'EUR' };
    const open = 'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }';
    const other = { ...shop, shopId: (await ask(open, { input }, vendor)).id };
    return { ...other, offerId: (await offer(other, {})).id };
  };
  /** The response to a repeated checkout that pays at once, after a change of its order. */
  const repeated = async (change: (id: string) => Promise<unknown>) => {
    const key = randomUUID();
    await payAtOnce('Challenge Card', key);
    await change(await newestOrder());
    const again = () => payAtOnce('Challenge Card', key);
    return eventually(again, ({ __typename }) => __typename.startsWith('Order'), timeoutMs);
  };
  const withoutWarehouse = async <T>(act: () => Promise<T>): Promise<T> => {
    await system.stopProcess('warehouse');
    return act().finally(() => system.start('warehouse'));
  };
  /** An order whose checkout stopped half-way long ago, and got its number while it is abandoned. */
  const halfPlaced = async (): Promise<string> => {
    await withoutWarehouse(() => checkoutOnce(system, customer, items()));
    const { rows } = await payments.order.query<{ id: string }>(
      `with placed as (
         update customer_order
         set created_at = now() - interval '2 minutes', number = nextval('order_number')
         where customer_id = $1 and number is null returning id, customer_id, number)
       insert into numbered_order (number, customer_id, order_id)
       select number, customer_id, id from placed returning order_id as id`,
      [customer.id],
    );
    return (rows[0] as { id: string }).id;
  };
  /** A unit of the shop is found missing. */
  const loseOne = ({ warehouseIds: [warehouseId], sku }: Shop) => {
    const input = { warehouseId, sku, delta: -1, reason: 'lost' };
    const adjust =
      'mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { __typename } }';
    return ask(adjust, { input }, vendor);
  };
  /** The response to a payment whose reservation cannot be committed now. */
  const halfPaid = async (): Promise<Reply> => {
    const id = await place();
    const reply = await withoutWarehouse(() => payOnce(system, customer, id));
    return reply.data.payOrder;
  };
  /** An order that expired before the webhook reported that its customer acted. */
  const actedTooLate = async (): Promise<string> => {
    await payments.control({ silent: true });
    const id = await place();
    const { payment } = await payBy(id, 'Challenge Card');
    await payments.act(payment.id, 'approve');
    await expire(id);
    await payments.control({ silent: false });
    return id;
  };

  /** The provider reports a dispute of the payment of an order, and it is recorded. */
  const disputed = async (orderId: string, dispute: DisputeStatus) => {
    const { id } = (await orderOf(orderId)).payments.edges[0].node;
    await payments.dispute(id, dispute);
    const pick = ({ payments: { edges } }: Reply) => edges[0].node.disputes[0]?.status;
    return until(orderId, dispute, pick);
  };
  /** A paid order that is cancelled, once its refund has this status. */
  const cancelled = async (method: string, refundStatus: string): Promise<string> => {
    const id = await buy(method);
    await cancel(id);
    await until(id, refundStatus, ({ payments: { edges } }) => edges[0].node.refunds[0].status);
    return id;
  };
  const retryRefund = async (orderId: string) => {
    const [{ id }] = (await orderOf(orderId)).payments.edges[0].node.refunds;
    const retry = 'mutation ($id: UUID!) { retryRefund(id: $id) { __typename } }';
    return ask(retry, { id }, admin);
  };

  const refundShopOrder = async (orderId: string, amount: string) => {
    const [{ id: shopOrderId }] = (await orderOf(orderId)).shopOrders;
    const input = { shopOrderId, amount, reason: 'a scratch', idempotencyKey: randomUUID() };
    const refund =
      'mutation ($input: RefundShopOrderInput!) { refundShopOrder(input: $input) { __typename } }';
    return ask(refund, { input }, vendor);
  };

  return {
    system,
    shop,
    disputed,
    refundShopOrder,
    cancelled,
    retryRefund,
    async newCustomer() {
      customer = await registerPerson(system);
    },
    async close() {
      await Promise.all([payments.close(), warehouse.end()]);
      await system.stop();
    },
    items,
    order,
    place,
    payBy,
    buy,
    payAtOnce,
    cancel,
    orderOf,
    newestOrder,
    until,
    step,
    expire,
    add,
    refusedAs,
    join,
    joinQueue,
    inSale,
    cartProblem,
    offer,
    newShop,
    soldOne,
    removed,
    inEuros,
    repeated,
    halfPlaced,
    loseOne,
    halfPaid,
    actedTooLate,
  };
}
export type Shopping = Awaited<ReturnType<typeof openShopping>>;
