import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededSession } from '../../../dev/seed/sessions.js';
import type { GraphQLClient } from '../../router/operations.js';
import { shippingAddress } from '../../shipping-address.js';
import type { Shopper } from '../sale/shoppers.js';
import { type Ending, sendOnceOrTwice, type Visit } from '../sale/store.js';

const checkout = `mutation ($input: CheckoutInput!) { checkout(input: $input) { __typename
  ... on CheckoutSuccess { order { id number expiresAt total { amount currencyCode } } }
  ... on InsufficientStock { lines { requested available } } } }`;
const payOrder = `mutation ($input: PayOrderInput!) { payOrder(input: $input) { __typename
  ... on PaymentSuccess { order { id status } } ... on PaymentDeclined { code } } }`;
const cancelOrder = `mutation ($id: UUID!, $key: String) {
  cancelOrder(id: $id, idempotencyKey: $key) { __typename ... on Order { id status } } }`;

export type Customer = SeededSession & { readonly accessToken: string };

const pendingAttemptsMax = 10;
const pendingPauseMs = 2000;
const endingOfPayment = new Map<string, Ending>([
  ['PaymentSuccess', 'paid'],
  ['PaymentDeclined', 'declined'],
  ['OrderExpired', 'expired before payment'],
]);

/** How shoppers buy here: one request that orders, and one that pays. */
export function createCustomers(
  router: GraphQLClient,
  customers: readonly Customer[],
  offers: readonly string[],
) {
  /** Sends a mutation, twice if the shopper repeats. @throws if a result has none of these types */
  async function send(
    { number, repeats }: Shopper,
    name: string,
    query: string,
    variables: object,
    types: readonly string[],
  ) {
    const { accessToken } = customers[number % customers.length] as Customer;
    const replies = await sendOnceOrTwice(repeats, () =>
      router.sendKeyed(query, variables, accessToken),
    );
    // biome-ignore lint/suspicious/noExplicitAny: answers to operations of our own
    const results = replies.map(({ data }) => (data as any)[name]);
    if (results.every(({ __typename }) => types.includes(__typename))) return results;
    throw new Error(`${name}: ${JSON.stringify(results)}`);
  }

  /** @returns the order; undefined if there is too little stock @throws if a repeated request made another order */
  async function order(shopper: Shopper): Promise<{ id: string } | undefined> {
    const items = shopper.cart.map(({ sku, quantity }) => ({ offerId: offers[sku], quantity }));
    const input = { idempotencyKey: randomUUID(), items, shippingAddress };
    const types = ['CheckoutSuccess', 'InsufficientStock'];
    const results = await send(shopper, 'checkout', checkout, { input }, types);
    const ids = new Set(results.map((result) => result.order?.id));
    if (ids.size > 1) throw new Error(`checkout: ${JSON.stringify(results)}`);
    return results[0].order;
  }

  async function pay(shopper: Shopper, orderId: string, paymentMethod: string): Promise<Ending> {
    const input = { orderId, paymentMethod, idempotencyKey: randomUUID() };
    const types = [...endingOfPayment.keys(), 'PaymentPending'];
    for (let attempt = 1; attempt <= pendingAttemptsMax; attempt++) {
      const results = await send(shopper, 'payOrder', payOrder, { input }, types);
      const decided = results.find(({ __typename }) => __typename !== 'PaymentPending');
      if (decided) return endingOfPayment.get(decided.__typename) as Ending;
      await sleep(pendingPauseMs);
    }
    throw new Error(`payOrder: pending after ${pendingAttemptsMax} requests`);
  }

  return async (shopper: Shopper, { arrivedMs, waited }: Visit): Promise<Ending> => {
    const placed = await order(shopper);
    waited(placed ? 'checkout' : 'refusal', arrivedMs);
    if (!placed) return 'refused';
    if (shopper.intention === 'leave') return 'left unpaid';
    if (shopper.intention === 'cancel') {
      const variables = { id: placed.id, key: randomUUID() };
      await send(shopper, 'cancelOrder', cancelOrder, variables, ['Order']);
      return 'cancelled';
    }
    const isDeclined = shopper.intention === 'pay by a declined card';
    const paysMs = performance.now();
    const ending = await pay(shopper, placed.id, isDeclined ? 'Declined Card' : 'Credit Card');
    waited('payment', paysMs);
    return ending;
  };
}
