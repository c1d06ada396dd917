import { randomUUID } from 'node:crypto';
import type { TestPayments } from './payments.js';
import { address, checkoutWith, type Person, pay } from './people.js';
import { retryUntil } from './retry.js';
import type { GraphQLReply, TestSystem } from './system.js';

const timeoutMs = 40_000;

export interface Buyers {
  readonly system: Pick<TestSystem, 'graphql'>;
  readonly payments: TestPayments;
  /** one for each way to buy */
  readonly people: readonly Person[];
  /** acts for the shops */
  readonly admin: Person;
  readonly offerIds: readonly string[];
}
/** A checkout and the order that it placed. */
export interface Bought {
  readonly person: Person;
  readonly input: object;
  readonly orderId: string;
}

/**
 * Nine people buy concurrently, each in another way, and retry until they get a result: in one step, in two,
 * from the cart and never paid, paid and cancelled, declined, cancelled or approved at a bank's challenge, and
 * paid, after which the shop cancels a line or refunds an amount.
 *
 * @throws Error for an error other than TRY_AGAIN, or no result
 */
export function buyInEveryWay(buyers: Buyers): Promise<Bought[]> {
  const { system, payments, people, admin, offerIds } = buyers;
  const items = offerIds.map((offerId) => ({ offerId, quantity: 1 }));
  const sendUntilAnswered = async (send: () => Promise<GraphQLReply>) => {
    const reply = await retryUntil(send, Date.now() + timeoutMs);
    if (!reply || reply.errors) throw new Error(JSON.stringify(reply?.errors ?? 'no result'));
    return reply.data;
  };
  const place = async (person: Person, more: object = { items }): Promise<Bought> => {
    const input = { idempotencyKey: randomUUID(), shippingAddress: address, ...more };
    const { checkout } = await sendUntilAnswered(() => checkoutWith(system, person, input));
    return { person, input, orderId: orderIdOf(checkout) ?? (await placedUnder(payments, input)) };
  };
  const payBy = async ({ person, orderId }: Bought, method: string) => {
    const key = randomUUID();
    return (await sendUntilAnswered(() => pay(system, person, orderId, method, key))).payOrder;
  };
  const send = (person: Person, mutation: string, variables: object) =>
    sendUntilAnswered(() => system.graphql(mutation, variables, person.token));
  const cancel = ({ person, orderId }: Bought) => send(person, cancelMutation, { id: orderId });

  const ways: Array<(person: Person) => Promise<Bought>> = [
    (person) => place(person, { items, paymentMethod: 'Credit Card' }),
    (person) => place(person, { items, paymentMethod: 'Declined Card' }),
    async (person) => {
      const bought = await place(person);
      await payBy(bought, 'Chatty Card');
      return bought;
    },
    async (person) => {
      for (const input of items) await send(person, addMutation, { input });
      return place(person, {});
    },
    async (person) => {
      const bought = await place(person);
      await payBy(bought, 'Credit Card');
      await cancel(bought);
      return bought;
    },
    async (person) => {
      const bought = await place(person);
      await payBy(bought, 'Challenge Card');
      await cancel(bought);
      return bought;
    },
    async (person) => {
      const bought = await place(person);
      const { payment } = await payBy(bought, 'Challenge Card');
      if (payment) await payments.act(payment.id, 'approve');
      return bought;
    },
    async (person) => {
      const bought = await place(person);
      await payBy(bought, 'Credit Card');
      const { id, itemId } = await firstShopOrder(payments, bought);
      const lines = [{ itemId, quantity: 1 }];
      const input = { id, lines, reason: 'OTHER', idempotencyKey: randomUUID() };
      await send(admin, cancelLinesMutation, { input });
      return bought;
    },
    async (person) => {
      const bought = await place(person);
      await payBy(bought, 'Credit Card');
      const { id: shopOrderId } = await firstShopOrder(payments, bought);
      const input = { shopOrderId, amount: '1.00', reason: 'late', idempotencyKey: randomUUID() };
      await send(admin, refundMutation, { input });
      return bought;
    },
  ];
  return Promise.all(people.map((person, n) => (ways[n] as (typeof ways)[number])(person)));
}

/** The id of the order that a repeated checkout returns. */
export async function checkoutAgain(buyers: Buyers, { person, input }: Bought): Promise<string> {
  const { data } = await checkoutWith(buyers.system, person, input);
  return orderIdOf(data.checkout) ?? placedUnder(buyers.payments, input);
}

/** Not every result has the order. */
const orderIdOf = (result: { order?: { id: string } }) => result.order?.id;

async function placedUnder({ order }: TestPayments, input: object): Promise<string> {
  const { idempotencyKey } = input as { idempotencyKey: string };
  const select = 'select subject_id as id from idempotency_key where key = $1';
  return (await order.query<{ id: string }>(select, [idempotencyKey])).rows[0]?.id as string;
}

async function firstShopOrder({ order }: TestPayments, { orderId }: Bought) {
  const { rows } = await order.query<{ id: string; itemId: string }>(
    `select s.id, i.id as "itemId" from shop_order s join order_item i on i.shop_order_id = s.id
     where s.order_id = $1 order by s.id limit 1`,
    [orderId],
  );
  return rows[0] as { id: string; itemId: string };
}

const cancelLinesMutation =
  'mutation ($input: CancelShopOrderInput!) { cancelShopOrder(input: $input) { __typename } }';
const refundMutation =
  'mutation ($input: RefundShopOrderInput!) { refundShopOrder(input: $input) { __typename } }';
const cancelMutation = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
const addMutation = `mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }`;
