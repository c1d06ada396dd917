import { type GivenTicket, type Queues, queuesIn } from '../../../../tests/harness/admission.js';
import {
  offerOf,
  openPlacing,
  orderOf,
  type PlacingDatabase,
  saleTermsOf,
} from '../../../../tests/harness/placing.js';
import { whileHeld } from '../../../../tests/harness/while-held.js';
import type { SaleTerms } from '../../../contracts/shop.js';
import { newId } from '../../../shared/ids.js';
import type { NewOrder } from '../../checkout/new-order.js';
import { changeOrders, type OrderChange } from '../../order/transitions/change-orders.js';
import { goToEnd, readPosition } from './go-to-end.js';

const placed = { state: 'placed', inCart: false };
const notAdmitted = (facts: object = {}) => ({
  state: 'refused',
  violations: [expect.objectContaining({ kind: 'NOT_ADMITTED', ...facts })],
});
const minuteMs = 60_000;
const held = { to: 'HELD', expiresAt: new Date() } as const;
const expired: OrderChange = { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' };
const declined: OrderChange = { to: 'CANCELLED', reason: 'PAYMENT_FAILED' };
const cancelled: OrderChange = { to: 'CANCELLED', reason: 'BY_CUSTOMER' };

describe('an order in a sale with a queue', () => {
  let database: PlacingDatabase;
  let queues: Queues;
  beforeAll(async () => {
    database = await openPlacing({ openOrdersMax: 100, openUnitsMax: 100, addressBuyersMax: 3 });
    queues = queuesIn(database.rows);
  });
  afterAll(() => database.close());

  async function queued(given: Partial<SaleTerms> = {}) {
    const sale = saleTermsOf({ admission: 'QUEUED', ...given });
    await queues.addQueue({ saleId: sale.id });
    return { sale, offer: offerOf({ sale }) };
  }
  type Queued = Awaited<ReturnType<typeof queued>>;
  const buy = ({ sale, offer }: Queued, customer: string) =>
    orderOf(customer, [{ offer, quantity: 1, saleId: sale.id }], {
      buyer: { address: null, phone: null },
    });
  const admitted = ({ sale }: Queued, given: GivenTicket = {}) =>
    queues.addTicket(sale.id, { admittedMsAgo: 1000, ...given });
  const change = async (order: NewOrder, ...changes: OrderChange[]) => {
    for (const each of changes) {
      await changeOrders(database.orm.em.fork(), [{ order, change: each }]);
    }
  };
  const ordersOf = async (customer: string) =>
    (await database.rows('select 1 from customer_order where customer_id = $1', [customer])).length;

  it('is placed with an admission, whose time its line has', async () => {
    const of = await queued();
    const customer = await admitted(of);
    const order = buy(of, customer);
    expect(await database.place(order)).toEqual(placed);
    expect(await queues.ticketOf(of.sale.id, customer)).toMatchObject({ orderId: order.id });
    const [line] = await database.rows<{ within: boolean; ms: number }>(
      `select admitted_at <= created_at and created_at < admission_ends_at as within,
         extract(epoch from admission_ends_at - admitted_at)::float8 * 1000 as ms
       from order_item where customer_id = $1`,
      [customer],
    );
    expect(line).toEqual({ within: true, ms: 5 * minuteMs });
  });

  it.each<[string, (of: Queued) => Promise<string>]>([
    ['a ticket', async () => newId()],
    ['an admission of its ticket', ({ sale }) => queues.addTicket(sale.id)],
    ['a ticket of this sale', async () => admitted(await queued())],
    ['its ticket, which was left', (of) => admitted(of, { leftAt: new Date() })],
    ['an admission that is still valid', (of) => admitted(of, { admittedMsAgo: 5 * minuteMs })],
  ])('is refused without %s, and nothing is written', async (_, customerOf) => {
    const of = await queued();
    const customer = await customerOf(of);
    const facts = { saleId: of.sale.id, counted: 0 };
    expect(await database.place(buy(of, customer))).toEqual(notAdmitted(facts));
    expect(await ordersOf(customer)).toBe(0);
    expect(await database.heldBy(customer)).toEqual({ orders: 0, units: {} });
    const ticket = await queues.ticketOf(of.sale.id, customer);
    expect(ticket?.orderId ?? null).toBeNull();
  });

  it('is placed later where the sale was paused since the admission, and only by as much', async () => {
    const of = await queued({ pausedMs: 5 * minuteMs });
    const given = { admittedMsAgo: 7 * minuteMs };
    const inTime = await admitted(of, { ...given, admittedPausedMs: 2 * minuteMs });
    const late = await admitted(of, { ...given, admittedPausedMs: 4 * minuteMs });
    expect(await database.place(buy(of, inTime))).toEqual(placed);
    expect(await database.place(buy(of, late))).toEqual(notAdmitted());
  });

  it('is one at a time, another one after a decline, a cancellation or an expiry, and none after a paid one', async () => {
    const of = await queued();
    const customer = await admitted(of);
    for (const ending of [declined, cancelled, expired]) {
      const order = buy(of, customer);
      expect(await database.place(order)).toEqual(placed);
      expect(await database.place(buy(of, customer))).toEqual(notAdmitted({ counted: 0 }));
      await change(order, held, ending);
      expect(await queues.ticketOf(of.sale.id, customer)).toMatchObject({ orderId: null });
    }
    const paid = buy(of, customer);
    expect(await database.place(paid)).toEqual(placed);
    await change(paid, held, { to: 'CONFIRMED' });
    expect(await database.place(buy(of, customer))).toEqual(notAdmitted());
    expect(await queues.ticketOf(of.sale.id, customer)).toMatchObject({ expired: 1 });
  });

  it('is returned to the admission if its stock was never held', async () => {
    const of = await queued();
    const customer = await admitted(of);
    const order = buy(of, customer);
    await database.place(order);
    await change(order, { to: 'CANCELLED', reason: 'OUT_OF_STOCK', unlessHeld: true });
    const after = await queues.ticketOf(of.sale.id, customer);
    expect(after).toMatchObject({ orderId: null, expired: 0 });
    expect(await database.place(buy(of, customer))).toEqual(placed);
  });

  it('is found again under its key, also after its admission', async () => {
    const of = await queued();
    const customer = await admitted(of);
    const order = buy(of, customer);
    expect(await database.place(order)).toEqual(placed);
    await database.rows(
      `update sale_ticket set admitted_at = now() - interval '1 h' where customer_id = $1`,
      [customer],
    );
    expect(await database.place(order)).toEqual({ state: 'exists' });
  });

  it('is placed once in 50 parallel requests by two processes', async () => {
    const of = await queued();
    const customer = await admitted(of);
    const orders = Array.from({ length: 50 }, () => buy(of, customer));
    const outcomes = await Promise.all(orders.map((order, n) => database.place(order, n)));
    expect(outcomes.filter(({ state }) => state === 'placed')).toHaveLength(1);
    expect(outcomes.filter(({ state }) => state === 'refused')).toHaveLength(49);
    expect(await ordersOf(customer)).toBe(1);
  });

  it('waits for whoever changes its ticket, and is refused if they took its admission', async () => {
    const of = await queued();
    const customer = await admitted(of);
    const taken = `update sale_ticket set admitted_at = null, admitted_paused_ms = null
      where customer_id = $1`;
    const place = () => database.place(buy(of, customer));
    const outcome = await whileHeld(database.url, { taking: [taken, [customer]] }, place);
    expect(outcome).toEqual(notAdmitted());
    expect(await ordersOf(customer)).toBe(0);
  });

  it('goes to the end of the queue after two that expired, once, whatever the offers', async () => {
    const of = await queued();
    const customer = await admitted(of, { number: 1 });
    await queues.addTickets(of.sale.id, 3);
    const other = { ...of, offer: offerOf({ sale: of.sale }) };
    for (const each of [of, other]) {
      const order = buy(each, customer);
      expect(await database.place(order)).toEqual(placed);
      await change(order, held, expired);
    }
    const thirds = Array.from({ length: 20 }, () => buy(of, customer));
    const outcomes = await Promise.all(thirds.map((order, n) => database.place(order, n)));
    expect(outcomes).toEqual(thirds.map(() => notAdmitted({ counted: 2, limit: 2 })));
    const ticket = { customerId: customer, saleId: of.sale.id };
    await Promise.all(thirds.map(() => goToEnd(database.orm.em.fork(), ticket)));
    expect(await queues.ticketOf(of.sale.id, customer)).toEqual({
      ...{ number: 5, admitted: false, orderId: null, expired: 0 },
    });
    expect((await queues.queueOf(of.sale.id)).next).toBe(6);
    const { position } = await readPosition(database.orm.em.fork(), ticket);
    expect(position).toBe(5);
    expect(await database.place(buy(of, customer))).toEqual(notAdmitted({ counted: 0 }));
  });

  it('does not go to the end while another one is open, or after one that expired', async () => {
    const of = await queued();
    const customer = await admitted(of, { number: 1 });
    const first = buy(of, customer);
    await database.place(first);
    await change(first, held, expired);
    await database.place(buy(of, customer));
    const ticket = { customerId: customer, saleId: of.sale.id };
    await goToEnd(database.orm.em.fork(), ticket);
    await database.rows('update sale_ticket set expired_orders = 2 where customer_id = $1', [
      customer,
    ]);
    await goToEnd(database.orm.em.fork(), ticket);
    expect(await queues.ticketOf(of.sale.id, customer)).toMatchObject({ number: 1 });
  });

  it('needs an admission in each of its sales, and none for other lines', async () => {
    const [of, another] = [await queued(), await queued()];
    const sale = saleTermsOf();
    const open = { sale, offer: offerOf({ sale }) };
    const line = ({ sale, offer }: Queued) => ({ offer, quantity: 1, saleId: sale.id });
    const regular = { offer: of.offer, quantity: 1 };
    const customer = await admitted(of);
    const orderWith = (...lines: Parameters<typeof orderOf>[1][0][]) => orderOf(customer, lines);
    expect(await database.place(orderWith(line(of), line(another)))).toEqual(
      notAdmitted({ saleId: another.sale.id }),
    );
    expect(await database.place(orderWith(line(of), line(open), regular))).toEqual(placed);
    const lines = await database.rows<{ saleId: string | null }>(
      `select sale_id as "saleId" from order_item
       where customer_id = $1 and admitted_at is not null`,
      [customer],
    );
    expect(lines).toEqual([{ saleId: of.sale.id }]);
  });
});
