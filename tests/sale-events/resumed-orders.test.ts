import { randomUUID } from 'node:crypto';
import { address, openShop, type Person, registerPerson } from '../harness/people.js';
import { retry } from '../harness/retry.js';
import { startSubgraphProxy } from '../harness/subgraph-proxy.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { openSaleEvent } from './open-sale-event.js';
import { openSaleClock, type SaleClock } from './sale-clock.js';

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id status total { amount } } }
  ... on SaleNotOpen { saleId startsAt serverTime }
} }`;
const payMutation = `mutation ($input: PayOrderInput!) { payOrder(input: $input) {
  __typename ... on PaymentSuccess { order { status } } } }`;

const units = 20;
const allocation = 5;
/** seconds */
const startsIn = 3600;
const lasts = 600;
/** more than the 15 s in which the warehouse serves orders that were decided in time */
const tooLateMs = 16_000;

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
type Reply = any;
interface Sale {
  readonly offerId: string;
  readonly saleId: string;
  readonly startsAt: string;
}

describe('a checkout in a sale that is repeated under its key', () => {
  let system: TestSystem;
  let toWarehouse: Awaited<ReturnType<typeof startSubgraphProxy>>;
  let clock: SaleClock;
  let vendor: Person;
  let customer: Person;
  beforeAll(async () => {
    system = await startSystem();
    clock = await openSaleClock(system.databases);
    vendor = await registerPerson(system, 'VENDOR');
    toWarehouse = await startSubgraphProxy(system.envOf('order').WAREHOUSE_URL as string);
    await system.stopProcess('order');
    await system.start('order', { WAREHOUSE_URL: toWarehouse.url });
  });
  beforeEach(async () => {
    customer = await registerPerson(system);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await clock.close();
    await system.stop();
    await toWarehouse.stop();
  });

  /** An offer at 10.00, and 4.00 in a sale that has not started. */
  async function openSale(): Promise<Sale> {
    const { shopId, offerId } = await openShop(system, vendor, [units], '10.00');
    const lines = [{ offerId, price: '4.00', allocation }];
    const sale = await openSaleEvent(system, vendor, shopId, { startsIn, lasts, lines });
    return { offerId, saleId: sale.id, startsAt: sale.startsAt.toISOString() };
  }
  async function openLiveSale(): Promise<Sale> {
    const sale = await openSale();
    await clock.start(sale.saleId);
    return sale;
  }
  const send = ({ offerId, saleId }: Sale, idempotencyKey: string) => {
    const items = [{ offerId, saleId, quantity: 1 }];
    const input = { idempotencyKey, items, shippingAddress: address };
    return system.graphql(checkoutMutation, { input }, customer.token);
  };
  async function buy(sale: Sale, key: string = randomUUID()): Promise<Reply> {
    const { data, errors } = await retry(() => send(sale, key));
    if (errors) throw new Error(JSON.stringify(errors));
    return data.checkout;
  }
  const orders = () =>
    clock.rows<{ status: string; reason: string | null; isVisible: boolean }>(
      'order',
      `select status, cancel_reason as reason, number is not null as "isVisible"
       from customer_order where customer_id = $1`,
      [customer.id],
    );
  const placed = { status: 'PENDING', reason: null, isVisible: false };
  const refused = (status: string, reason: string) => ({ status, reason, isVisible: false });
  /** A worker cancels such orders after 15 s; the next request of the customer is to come before it. */
  const keepPlaced = () =>
    clock.rows(
      'order',
      `update customer_order set created_at = now() + interval '1 hour' where customer_id = $1`,
      [customer.id],
    );
  /** Leaves an order that is placed, and whose units are not requested. @returns its key */
  async function placeOnly(sale: Sale): Promise<string> {
    const key = randomUUID();
    await system.stopProcess('warehouse');
    try {
      const { errors } = await send(sale, key);
      expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
      await keepPlaced();
    } finally {
      await system.start('warehouse');
    }
    expect(await orders()).toEqual([placed]);
    expect(await clock.unitsOf(sale.saleId)).toMatchObject({ held: 0 });
    return key;
  }
  /** Leaves an order whose units are held, which order does not know. @returns its key */
  async function holdOnly(sale: Sale): Promise<string> {
    const key = randomUUID();
    toWarehouse.loseResponsesTo('reserveStock');
    const { errors } = await send(sale, key);
    expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await keepPlaced();
    toWarehouse.loseNothing();
    expect(await orders()).toEqual([placed]);
    expect(await clock.unitsOf(sale.saleId)).toMatchObject({ held: 1 });
    return key;
  }
  const change = async (name: 'pauseSale' | 'cancelSale', { saleId }: Sale) => {
    const query = `mutation ($id: UUID!) { ${name}(id: $id) { id state isChanging } }`;
    const { data } = await retry(() => system.graphql(query, { id: saleId }, vendor.token));
    return data[name];
  };
  const success = {
    __typename: 'CheckoutSuccess',
    order: { id: expect.any(String), status: 'PENDING', total: { amount: '4.00' } },
  };
  const notOpen = ({ saleId, startsAt }: Sale, isAhead = false) => ({
    __typename: 'SaleNotOpen',
    saleId,
    startsAt: isAhead ? startsAt : null,
    serverTime: expect.any(String),
  });
  async function pay(orderId: string) {
    const input = { orderId, paymentMethod: 'Credit Card', idempotencyKey: randomUUID() };
    const send = () => system.graphql(payMutation, { input }, customer.token);
    return (await retry(send)).data.payOrder;
  }
  const paid = { __typename: 'PaymentSuccess', order: { status: 'CONFIRMED' } };
  async function expectNothingHeld({ saleId }: Sale, allocated = allocation) {
    const none = { held: 0, sold: 0 };
    if (allocated > 0) expect(await clock.unitsOf(saleId)).toEqual({ allocated, ...none });
    else expect((await clock.unitsOf(saleId)) ?? none).toMatchObject(none);
  }

  it('is served when its order was placed in time and is resumed less than 15 s after the end', async () => {
    const sale = await openLiveSale();
    const key = await placeOnly(sale);
    await clock.end(sale.saleId, 500);
    const bought = await buy(sale, key);
    expect(bought).toEqual(success);
    expect(await pay(bought.order.id)).toEqual(paid);
    expect(await clock.unitsOf(sale.saleId)).toEqual({ allocated: allocation, held: 0, sold: 1 });
  });

  it('is refused when its order is resumed more than 15 s after the end: it ends, and holds nothing', async () => {
    const sale = await openLiveSale();
    const key = await placeOnly(sale);
    await clock.end(sale.saleId, tooLateMs);
    const answer = await buy(sale, key);
    expect(answer).toEqual(notOpen(sale));
    expect(await orders()).toEqual([refused('CANCELLED', 'OUT_OF_STOCK')]);
    await expectNothingHeld(sale);
    // The same answer again, and nobody but the customer decides about the regular price.
    expect(await buy(sale, key)).toEqual(answer);
    expect(await orders()).toHaveLength(1);
  });

  it('is served long after the end when its units were held in time, and keeps its price', async () => {
    const sale = await openLiveSale();
    const key = await holdOnly(sale);
    await clock.end(sale.saleId, tooLateMs);
    const bought = await buy(sale, key);
    expect(bought).toEqual(success);
    expect(await pay(bought.order.id)).toEqual(paid);
  });

  it('is refused when its sale was paused after its order was placed: it ends, and holds nothing', async () => {
    const sale = await openLiveSale();
    const key = await placeOnly(sale);
    expect(await change('pauseSale', sale)).toMatchObject({ state: 'PAUSED' });
    const answer = await buy(sale, key);
    expect(answer).toEqual(notOpen(sale));
    expect(await orders()).toEqual([refused('CANCELLED', 'ABANDONED')]);
    await expectNothingHeld(sale);
    expect(await buy(sale, key)).toEqual(answer);
  });

  it('is refused when its sale was paused after its order was placed, and has ended since', async () => {
    const sale = await openLiveSale();
    const key = await placeOnly(sale);
    await change('pauseSale', sale);
    const listed = 'select from offer_listing where sale_id = $1 and sale_paused';
    await eventually(
      () => clock.rows('product', listed, [sale.saleId]),
      ({ length }) => length > 0,
    );
    await clock.end(sale.saleId, 500);
    const answer = await buy(sale, key);
    expect(answer).toEqual(notOpen(sale));
    expect(await orders()).toEqual([refused('CANCELLED', 'ABANDONED')]);
    await expectNothingHeld(sale);
  });

  it('is served when its units were held before its sale was paused, and can be paid', async () => {
    const sale = await openLiveSale();
    const key = await holdOnly(sale);
    await change('pauseSale', sale);
    const bought = await buy(sale, key);
    expect(bought).toEqual(success);
    expect(await buy(sale)).toEqual(notOpen(sale));
    expect(await pay(bought.order.id)).toEqual(paid);
    expect(await clock.unitsOf(sale.saleId)).toEqual({ allocated: allocation, held: 0, sold: 1 });
  });

  it('is refused when its sale was cancelled after its order was placed', async () => {
    const sale = await openLiveSale();
    const key = await placeOnly(sale);
    await change('cancelSale', sale);
    const read = 'query ($id: UUID!) { sale(id: $id) { isChanging } }';
    await eventually(
      async () => (await system.graphql(read, { id: sale.saleId })).data?.sale.isChanging,
      (isChanging) => isChanging === false,
    );
    expect(await buy(sale, key)).toEqual(notOpen(sale));
    expect(await orders()).toEqual([refused('CANCELLED', 'ABANDONED')]);
    await expectNothingHeld(sale, 0);
  });

  it('stays refused, as it was before the start, while the sale is live and after its end', async () => {
    const sale = await openSale();
    const key = randomUUID();
    const answer = await buy(sale, key);
    expect(answer).toEqual(notOpen(sale, true));
    await clock.start(sale.saleId);
    expect(await buy(sale, key)).toEqual(answer);
    expect(await orders()).toEqual([]);
    const other = randomUUID();
    const bought = await buy(sale, other);
    expect(bought).toEqual(success);
    await clock.end(sale.saleId, tooLateMs);
    expect(await buy(sale, key)).toEqual(answer);
    expect(await buy(sale, other)).toEqual(bought);
    expect(await buy(sale)).toEqual(notOpen(sale));
    expect(await orders()).toHaveLength(1);
  });

  it('is decided when it is repeated after an error, and is refused after the end', async () => {
    const sale = await openLiveSale();
    const key = randomUUID();
    await system.stopProcess('shop');
    const { errors } = await send(sale, key).finally(() => system.start('shop'));
    expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await clock.end(sale.saleId, 1);
    expect(await buy(sale, key)).toEqual(notOpen(sale));
    expect(await orders()).toEqual([]);
    await expectNothingHeld(sale);
  });
});
