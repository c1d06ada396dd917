import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { address, openShop, type Person, registerPerson } from '../harness/people.js';
import type { ProcessSystem } from '../harness/process-system.js';
import { isPaymentPending, retryUntil } from '../harness/retry.js';
import { eventually } from '../harness/wait.js';

const customersCount = 30;
const shopsCount = 6;
const plenty = 1_000_000;
/** sold out again and again, until unpaid orders expire */
const scarceUnits = 5;
const purchaseLimit = 2;
const requestMaxMs = 90_000;

const addressMutation = 'mutation ($input: AddAddressInput!) { addAddress(input: $input) { id } }';
const addMutation =
  'mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }';
const paidOrNot = `... on PaymentSuccess { order { id } } ... on PaymentDeclined { order { id } }`;
const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename ... on CheckoutSuccess { order { id } } ${paidOrNot} } }`;
const payMutation = `mutation ($input: PayOrderInput!) { payOrder(input: $input) {
  __typename ${paidOrNot} } }`;

/** The last answer about an order. */
type Acknowledgement = 'CheckoutSuccess' | 'PaymentSuccess' | 'PaymentDeclined';
interface Answer {
  readonly __typename: string;
  readonly order?: { readonly id: string };
}
/** A customer with a saved address, which a checkout has to query from the user subgraph. */
interface Customer extends Person {
  readonly addressId: string;
}

/** Orders that lack what their customers were answered, and customers with more units than the limit. */
const lostSql = `select answered.* from unnest($1::uuid[], $2::text[]) as answered (id, answer)
    left join customer_order o on o.id = answered.id
    left join lateral (select count(*) as count from payment p
      where p.order_id = o.id and p.status = 'COMPLETED') paid on true
  where case answer
    when 'PaymentSuccess' then o.number is null or o.status <> 'CONFIRMED' or paid.count <> 1
    when 'PaymentDeclined' then o.number is null or paid.count > 0
    else o.number is null end`;
const beyondLimitSql = `select o.customer_id, sum(i.quantity) as units from customer_order o
    join shop_order s on s.order_id = o.id join order_item i on i.shop_order_id = s.id
  where o.status <> 'CANCELLED' and i.offer_id = $1
  group by o.customer_id having sum(i.quantity) > ${purchaseLimit}`;

/** Customers who buy again and again, each time in another way, and repeat what was not answered. */
export async function openCrowd(system: ProcessSystem) {
  const vendor = await registerPerson(system, 'VENDOR');
  const offerIds: string[] = [];
  for (let n = 0; n < shopsCount; n++) {
    offerIds.push((await openShop(system, vendor, [plenty], '0.10')).offerId);
  }
  const limited = await openShop(system, vendor, [plenty], '0.10', purchaseLimit);
  const scarce = await openShop(system, vendor, [scarceUnits], '0.10');
  const database = new pg.Client({ connectionString: system.databases.order });
  await database.connect();

  let people: Customer[] = [];
  let isOpen = false;
  let shopping: Promise<void>[] = [];
  let turns = 0;
  const unexpected: unknown[] = [];
  const acknowledged = new Map<string, Acknowledgement>();
  /** when the first request of each acknowledged checkout was sent, in ms of `performance.now()` */
  const sentAtMs: number[] = [];
  const answers: Record<string, number> = {};

  async function send(person: Person, mutation: string, input: object) {
    const ask = () => system.graphql(mutation, { input }, person.token);
    const reply = await retryUntil(ask, Date.now() + requestMaxMs, isPaymentPending);
    if (!reply || reply.errors) unexpected.push(reply?.errors ?? `no answer to ${mutation}`);
    const answer = Object.values(reply?.data ?? {})[0] as Answer | undefined;
    if (!answer) return undefined;
    answers[answer.__typename] = (answers[answer.__typename] ?? 0) + 1;
    if (answer.order) acknowledged.set(answer.order.id, answer.__typename as Acknowledgement);
    return answer;
  }

  async function buy(person: Customer, n: number, turn: number): Promise<void> {
    const place = async (more: object) => {
      const sentAt = performance.now();
      const where = n % 2 ? { shippingAddress: address } : { addressId: person.addressId };
      const input = { idempotencyKey: randomUUID(), ...where, ...more };
      const answer = await send(person, checkoutMutation, input);
      if (answer?.order) sentAtMs.push(sentAt);
      return answer;
    };
    const placeAndPay = async (more: object) => {
      const placed = await place(more);
      if (placed?.__typename !== 'CheckoutSuccess') return;
      const input = { orderId: placed.order?.id, idempotencyKey: randomUUID() };
      await send(person, payMutation, input);
    };
    const unitOf = (offerId: string | undefined) => ({ offerId, quantity: 1 });
    const items = [unitOf(offerIds[n % 3]), unitOf(offerIds[3 + (turn % 3)])];
    const ways = [
      () => placeAndPay({ items }),
      () => place({ items, paymentMethod: 'Credit Card' }),
      async () => {
        for (const input of items) await send(person, addMutation, input);
        await placeAndPay({});
      },
      () => placeAndPay({ items: [unitOf(limited.offerId)] }),
      () => place({ items, paymentMethod: 'Declined Card' }),
      () => place({ items }),
      () => place({ items: [unitOf(scarce.offerId)] }),
    ];
    await ways[(n + turn) % ways.length]?.();
  }

  return {
    answers,
    /** New people: an access token lasts 15 minutes, and declined payments of a day are limited. */
    async renew(): Promise<void> {
      people = [];
      while (people.length < customersCount) {
        const person = await registerPerson(system);
        const { data } = await system.graphql(addressMutation, { input: address }, person.token);
        people.push({ ...person, addressId: data.addAddress.id });
      }
    },
    /** Begins to shop. */
    open(): void {
      isOpen = true;
      shopping = people.map(async (person, n) => {
        for (; isOpen; turns++) await buy(person, n, turns);
      });
    },
    /** Waits until some checkouts that are sent from now on are acknowledged. */
    async acknowledges(count: number): Promise<void> {
      const fromMs = performance.now();
      const sentSince = async () => sentAtMs.filter((atMs) => atMs >= fromMs).length;
      await eventually(sentSince, (sent) => sent >= count, requestMaxMs);
    },
    /** Begins nothing more, and waits for the answers to what was begun. */
    async close(): Promise<void> {
      isOpen = false;
      await Promise.all(shopping);
    },
    /** Fails if an answer was not kept, or a request got an answer that none may get. */
    async expectAnswersKept(): Promise<void> {
      expect(unexpected.splice(0)).toEqual([]);
      const answered = [[...acknowledged.keys()], [...acknowledged.values()]];
      expect((await database.query(lostSql, answered)).rows).toEqual([]);
      expect((await database.query(beyondLimitSql, [limited.offerId])).rows).toEqual([]);
    },
    end: () => database.end(),
  };
}
export type Crowd = Awaited<ReturnType<typeof openCrowd>>;
