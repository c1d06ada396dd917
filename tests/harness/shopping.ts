import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { openPayments } from './payments.js';
import {
  address,
  checkout,
  checkoutOnce,
  checkoutWith,
  openShop,
  type Person,
  pay,
  payOnce,
  registerPerson,
} from './people.js';
import { insist } from './retry.js';
import { startSystem } from './system.js';
import { eventually } from './wait.js';

const settleMs = 30_000;

type Shop = Awaited<ReturnType<typeof openShop>>;
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
export type Shown = any;

/**
 * A system with a shop and one customer at a time, and what may befall them: each verb goes through
 * the router, but for time, which passes in the databases.
 */
export async function openShopping() {
  const system = await startSystem();
  const payments = await openPayments(system);
  const warehouse = new pg.Client({ connectionString: system.databases.warehouse });
  await warehouse.connect();
  const vendor = await registerPerson(system, 'VENDOR');
  const shop = await openShop(system, vendor, [1000]);
  let customer: Person;

  const ask = async (query: string, variables: object = {}, { token } = customer) => {
    const { data, errors } = await system.graphql(query, variables, token);
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as Shown;
  };
  const items = (quantity = 1, { offerId } = shop) => [{ offerId, quantity }];
  const order = async (more: object): Promise<Shown> => {
    const input = { idempotencyKey: randomUUID(), shippingAddress: address, ...more };
    const send = () => checkoutWith(system, customer, input);
    return (await insist(send, Date.now() + settleMs))?.data.checkout;
  };
  const place = async (): Promise<string> =>
    (await checkout(system, customer, items())).data.checkout.order.id;
  const payBy = async (id: string, method?: string): Promise<Shown> =>
    (await pay(system, customer, id, method)).data.payOrder;
  const buy = async (method?: string): Promise<string> => {
    const id = await place();
    await payBy(id, method);
    return id;
  };
  const inOneStep = async (method: string, key?: string): Promise<Shown> =>
    (await checkout(system, customer, items(), key, method)).data.checkout;
  const cancel = (id: string) =>
    ask(
      `mutation ($id: UUID!) { cancelOrder(id: $id) {
         __typename ... on Order { payments { refunds { status } } } } }`,
      { id },
    );
  const orderOf = (id: string) =>
    ask(
      `query ($id: UUID!) { order(id: $id) {
         status cancelReason shopOrders { id } payments { status refunds { status } } } }`,
      { id },
    );
  const newestOrder = async (): Promise<string> =>
    (await ask('{ orders(first: 1) { edges { node { id } } } }')).edges[0].node.id;
  /** Waits until that is what an order shows. */
  const until = async (id: string, wanted: string, pick: (shown: Shown) => string) =>
    pick(
      await eventually(
        () => orderOf(id),
        (shown) => pick(shown) === wanted,
        settleMs,
      ),
    );
  const step = async (name: 'deliverShopOrder' | 'cancelShopOrder' | 'ship', orderId: string) => {
    const [{ id }] = (await orderOf(orderId)).shopOrders;
    if (name !== 'ship') {
      return ask(`mutation ($id: UUID!) { ${name}(id: $id) { __typename } }`, { id }, vendor);
    }
    const ship = `mutation ($input: ShipShopOrderInput!) { shipShopOrder(input: $input) { __typename } }`;
    return ask(ship, { input: { id } }, vendor);
  };
  const timeIsUp = async (id: string) => {
    const late = `update reservation set expires_at = now() - interval '2 s' where order_id = $1`;
    await warehouse.query(late, [id]);
    return until(id, 'CANCELLED', ({ status }) => status);
  };
  const add = (of: Shop, quantity: number) =>
    ask('mutation ($input: CartItemInput!) { addToCart(input: $input) { __typename } }', {
      input: { offerId: of.offerId, quantity },
    });
  const cartProblem = async () => (await ask('{ cart { items { problem } } }')).items[0].problem;
  const offer = ({ shopId, sku }: Shop, more: object) => {
    const input = { shopId, sku, price: '10.00', ...more };
    const set = 'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }';
    return ask(set, { input }, vendor);
  };
  const newShop = (units = 9, limit?: number) => openShop(system, vendor, [units], '10.00', limit);
  /** Somebody else buys a unit. */
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
  /** What a one-step checkout says to its key again, once something befell its order. */
  const repeated = async (befall: (id: string) => Promise<unknown>) => {
    const key = randomUUID();
    await inOneStep('Challenge Card', key);
    await befall(await newestOrder());
    const again = () => inOneStep('Challenge Card', key);
    return eventually(again, ({ __typename }) => __typename.startsWith('Order'), settleMs);
  };
  const withoutWarehouse = async <T>(act: () => Promise<T>): Promise<T> => {
    await system.stopPart('warehouse');
    return act().finally(() => system.start('warehouse'));
  };
  /** An order whose checkout stopped half-way, long ago. */
  const halfPlaced = async (): Promise<string> => {
    await withoutWarehouse(() => checkoutOnce(system, customer, items()));
    const id = await newestOrder();
    const age = `update customer_order set created_at = now() - interval '2 minutes' where id = $1`;
    await payments.order.query(age, [id]);
    return id;
  };
  /** The answer to a payment that cannot be sold to now. */
  const halfPaid = async (): Promise<Shown> => {
    const id = await place();
    const reply = await withoutWarehouse(() => payOnce(system, customer, id));
    return reply.data.payOrder;
  };
  /** An order whose customer acted at their bank, of which we are not told before the time is up. */
  const actedTooLate = async (): Promise<string> => {
    await payments.control({ silent: true });
    const id = await place();
    const { payment } = await payBy(id, 'Challenge Card');
    await payments.act(payment.id, 'approve');
    await timeIsUp(id);
    await payments.control({ silent: false });
    return id;
  };

  return {
    system,
    shop,
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
    inOneStep,
    cancel,
    orderOf,
    newestOrder,
    until,
    step,
    timeIsUp,
    add,
    cartProblem,
    offer,
    newShop,
    soldOne,
    removed,
    inEuros,
    repeated,
    halfPlaced,
    halfPaid,
    actedTooLate,
  };
}
export type Shopping = Awaited<ReturnType<typeof openShopping>>;
