import { randomUUID } from 'node:crypto';
import { openBuyers } from '../../dev/seed/buyers.js';
import { callerCredentials, callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { address, openShop, type Person, registerPerson } from '../harness/people.js';
import { retry } from '../harness/retry.js';
import { startRouterBeside, stopRoutersBeside } from '../harness/router-beside.js';
import { type GraphQLReply, postGraphQL, startSystem, type TestSystem } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { openSaleEvent, type SaleTerms } from './open-sale-event.js';
import { openSaleClock, type SaleClock } from './sale-clock.js';

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id status } }
  ... on NotAdmitted { saleId position serverTime }
} }`;
const ticketFields = `__typename ... on SaleTicket {
  id number drawNumber position admittedAt admittedUntil leftAt }`;
const joinMutation = `mutation ($id: UUID!) { joinSale(saleId: $id) { ${ticketFields} } }`;
const ticketQuery = `query ($id: UUID!) { saleTicket(saleId: $id) { ${ticketFields} } }`;
const minuteMs = 60_000;

type Graphql = (query: string, variables: object, token?: string) => Promise<GraphQLReply>;
interface Line {
  readonly offerId: string;
  readonly saleId?: string;
}
interface Queued {
  readonly id: string;
  readonly line: Line;
  readonly regular: Line;
}

/** Sales with queues that are joined and drawn as at any time; their start, and pauses, are moved into the past. */
describe('the rules of the queue of a sale', () => {
  let system: TestSystem;
  let clock: SaleClock;
  let vendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    clock = await openSaleClock(system.databases);
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await stopRoutersBeside();
    await clock.close();
    await system.stop();
  });

  const must = async (send: () => Promise<GraphQLReply>) => {
    const { data, errors } = await retry(send);
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as Record<string, unknown> | null;
  };
  const asked = (query: string, variables: object, { token }: Person) =>
    must(() => system.graphql(query, variables, token));

  /** A sale that has not started, with the tickets of some buyers. */
  async function openQueued(
    allocation: number,
    buyers: readonly Person[],
    terms: Partial<SaleTerms> = {},
  ) {
    const { shopId, offerId } = await openShop(system, vendor, [100]);
    const lines = [{ offerId, price: '5.00', allocation }];
    const { id } = await openSaleEvent(system, vendor, shopId, {
      ...{ startsIn: 3600, lasts: 3600, lines, admission: 'QUEUED', ...terms },
    });
    for (const buyer of buyers) {
      expect((await asked(joinMutation, { id }, buyer))?.__typename).toBe('SaleTicket');
    }
    return { id, line: { offerId, saleId: id }, regular: { offerId } };
  }
  const ticketOf = (sale: Queued, buyer: Person) => asked(ticketQuery, { id: sale.id }, buyer);
  /** Starts the sale. @returns the buyers in the order of their numbers, once so many of them are admitted */
  async function startedWith(sale: Queued, buyers: readonly Person[], admitted: number) {
    await clock.start(sale.id);
    const tickets = await eventually(
      () => Promise.all(buyers.map((buyer) => ticketOf(sale, buyer))),
      (all) => all.filter((ticket) => ticket?.admittedAt).length >= admitted,
    );
    expect(tickets.filter((ticket) => ticket?.admittedAt)).toHaveLength(admitted);
    const inOrder = buyers.toSorted(
      (a, b) => numberOf(tickets, buyers, a) - numberOf(tickets, buyers, b),
    );
    return inOrder as [Person, Person, ...Person[]];
  }
  const numberOf = (tickets: readonly unknown[], buyers: readonly Person[], buyer: Person) =>
    (tickets[buyers.indexOf(buyer)] as { number: number }).number;

  const inputOf = (lines: readonly Line[], idempotencyKey: string = randomUUID()) => ({
    ...{ idempotencyKey, shippingAddress: address },
    items: lines.map((line) => ({ ...line, quantity: 1 })),
  });
  async function buy(
    buyer: Person,
    input: object,
    through: Graphql = system.graphql,
  ): Promise<{ readonly __typename: string; readonly order?: { readonly id: string } }> {
    return (await must(() => through(checkoutMutation, { input }, buyer.token))) as never;
  }
  const linesIn = async ({ id }: Queued) =>
    (await clock.rows('order', 'select 1 from order_item where sale_id = $1', [id])).length;
  const ordersOf = async ({ id }: Person) =>
    (await clock.rows('order', 'select 1 from customer_order where customer_id = $1', [id])).length;
  const end = (orderId: string, buyer: Person) =>
    asked('mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }', { id: orderId }, buyer);
  /** Lets time pass for the admission of a customer. */
  const admittedAgo = (sale: Queued, { id }: Person, ms: number) =>
    clock.rows(
      'order',
      `update sale_ticket set admitted_at = admitted_at - $3 * interval '1 ms'
       where sale_id = $1 and customer_id = $2`,
      [sale.id, id, ms],
    );

  it('takes no order without a valid admission to that sale, whatever key, way or ticket comes with it', async () => {
    const all = await openBuyers(system, 2);
    const sale = await openQueued(1, all);
    const other = await openQueued(5, []);
    await startedWith(other, [], 0);
    const [first, second] = await startedWith(sale, all, 1);
    const { graphqlUrl } = await startRouterBeside(system);
    const beside: Graphql = (query, variables, token) =>
      postGraphQL(graphqlUrl, query, variables, token);
    const ofOrder = `http://127.0.0.1:${system.ports.ports.order}/graphql`;
    const asCaller =
      (caller: 'router' | 'warehouse'): Graphql =>
      (query, variables, token) => {
        const secret = system.secrets.callers[`${caller.toUpperCase()}_SECRET`] as string;
        return postGraphQL(ofOrder, query, variables, token, {
          [callerHeader]: callerCredentials(caller, secret),
        });
      };
    const notAdmitted = { __typename: 'NotAdmitted', saleId: sale.id };

    // An admission to another sale is none to this one, also where one order has lines of both.
    const toOther = await asked(joinMutation, { id: other.id }, second);
    expect(toOther?.__typename).toBe('SaleTicket');
    await eventually(
      () => ticketOf(other, second),
      (ticket) => Boolean(ticket?.admittedAt),
    );
    for (const lines of [[sale.line], [other.line, sale.line], [sale.regular, sale.line]]) {
      for (const through of [system.graphql, beside, asCaller('router'), asCaller('warehouse')]) {
        expect(await buy(second, inputOf(lines), through)).toMatchObject(notAdmitted);
      }
    }
    // With the secret of the router there are entities, which are read and place nothing.
    const entities = 'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }';
    const forged = { id: sale.id, admission: 'OPEN', state: 'LIVE', admittedAt: new Date() };
    const known = ['SaleEvent', 'Order', 'ShopOrder', 'Payment', 'Offer', 'User', 'Shop'];
    const of = known.map((__typename) => ({ __typename, ...forged }));
    await asCaller('router')(entities, { of }, second.token);
    for (const __typename of ['SaleTicket', 'SaleQueue', 'NotAdmitted', 'CheckoutSuccess']) {
      const ticket = { __typename, id: second.id, saleId: sale.id, customerId: second.id };
      const { data, errors } = await asCaller('router')(entities, { of: [ticket] }, second.token);
      expect([data?._entities ?? [null], errors?.length]).toEqual([[null], 1]);
    }
    expect(await ticketOf(sale, second)).toMatchObject({ admittedAt: null, admittedUntil: null });
    expect([await linesIn(sale), await ordersOf(second)]).toEqual([0, 0]);

    // A key answers as it did, and only its customer.
    const refused = inputOf([sale.line]);
    expect(await buy(second, refused)).toMatchObject(notAdmitted);
    const input = inputOf([sale.line]);
    const placed = await buy(first, input);
    expect(placed.__typename).toBe('CheckoutSuccess');
    expect(await buy(second, input, beside)).toMatchObject(notAdmitted);
    await end(placed.order?.id as string, first);
    await admittedAgo(sale, first, 5 * minuteMs);
    const again = await buy(first, input, beside);
    expect(again.order).toEqual({ id: placed.order?.id, status: 'CANCELLED' });
    expect(await buy(first, inputOf([sale.line]))).toMatchObject(notAdmitted);
    await eventually(
      () => ticketOf(sale, second),
      (ticket) => Boolean(ticket?.admittedAt),
    );
    expect(await buy(second, refused)).toMatchObject(notAdmitted);
    expect([await linesIn(sale), await linesIn(other), await ordersOf(second)]).toEqual([1, 0, 0]);
    expect((await buy(second, inputOf([sale.line]))).__typename).toBe('CheckoutSuccess');
  });

  it('puts a customer whose hold expired unpaid twice at the end with the third order', async () => {
    const all = await openBuyers(system, 3);
    const sale = await openQueued(1, all);
    const [first, second] = await startedWith(sale, all, 1);
    const before = await ticketOf(sale, first);
    const expiredIn = async () =>
      (
        await clock.rows<{ n: number }>(
          'order',
          'select expired_orders as n from sale_ticket where sale_id = $1 and customer_id = $2',
          [sale.id, first.id],
        )
      )[0]?.n;
    for (const expired of [1, 2]) {
      const { order } = await buy(first, inputOf([sale.line]));
      await clock.expireHold(order?.id as string);
      await eventually(expiredIn, (count) => count === expired);
      // Until the third order it stays where it is.
      expect(await ticketOf(sale, first)).toEqual(before);
    }
    // Its number is 4; the next may be admitted by then.
    const third = await buy(first, inputOf([sale.line]));
    expect(third).toMatchObject({ __typename: 'NotAdmitted', saleId: sale.id });
    expect([2, 3]).toContain((third as unknown as { position: number }).position);
    expect(await ordersOf(first)).toBe(2);
    expect(await ticketOf(sale, first)).toEqual({
      ...before,
      ...{ number: 4, position: expect.any(Number), admittedAt: null, admittedUntil: null },
    });
    await eventually(
      () => ticketOf(sale, second),
      (ticket) => Boolean(ticket?.admittedAt),
    );
    expect((await buy(second, inputOf([sale.line]))).__typename).toBe('CheckoutSuccess');
    expect(await buy(first, inputOf([sale.line]))).toMatchObject({
      ...{ __typename: 'NotAdmitted', position: 2 },
    });
  });

  it('adds the time of a pause to admissions that were valid, and to no other', async () => {
    const all = await openBuyers(system, 2);
    const sale = await openQueued(2, all, { admissionMinutes: 30 });
    const [inTime, late] = await startedWith(sale, all, 2);
    await admittedAgo(sale, inTime, 10 * minuteMs);
    await admittedAgo(sale, late, 30 * minuteMs);
    const until = async (buyer: Person) =>
      Date.parse((await ticketOf(sale, buyer))?.admittedUntil as string);
    const before = await until(inTime);
    const change = (name: string) =>
      asked(`mutation ($id: UUID!) { ${name}(id: $id) { state } }`, { id: sale.id }, vendor);
    expect(await change('pauseSale')).toEqual({ state: 'PAUSED' });
    expect((await buy(inTime, inputOf([sale.line]))).__typename).toBe('SaleNotOpen');

    // 40 minutes pass.
    const passedMs = 40 * minuteMs;
    await clock.rows(
      'shop',
      `update sale_pause set paused_at = paused_at - $2 * interval '1 ms'
       where sale_id = $1 and resumed_at is null`,
      [sale.id, passedMs],
    );
    for (const buyer of all) await admittedAgo(sale, buyer, passedMs);
    // What is left of it stays the same while the sale is paused.
    await eventually(
      () => until(inTime),
      (end) => end >= before,
    );
    expect(await change('resumeSale')).toEqual({ state: 'LIVE' });
    expect(await buy(late, inputOf([sale.line]))).toMatchObject({
      ...{ __typename: 'NotAdmitted', position: null },
    });
    expect((await buy(inTime, inputOf([sale.line]))).__typename).toBe('CheckoutSuccess');
    expect(await linesIn(sale)).toBe(1);
  });
});
