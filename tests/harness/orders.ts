import { checkout, type Person, pay } from './people.js';
import type { TestSystem } from './system.js';

interface Offered {
  readonly offerId: string;
}

/** Places an order of some units of each offer, which waits for its payment. @returns its id */
export async function placeOrder(
  system: TestSystem,
  customer: Person,
  quantity: number,
  ...offers: Offered[]
): Promise<string> {
  const items = offers.map(({ offerId }) => ({ offerId, quantity }));
  const { data, errors } = await checkout(system, customer, items);
  const { order } = data?.checkout ?? {};
  if (!order) throw new Error(`not placed: ${JSON.stringify(errors ?? data.checkout)}`);
  return order.id;
}

/** Places an order and pays it. @returns its id */
export async function buy(
  system: TestSystem,
  customer: Person,
  quantity: number,
  ...offers: Offered[]
): Promise<string> {
  const id = await placeOrder(system, customer, quantity, ...offers);
  const { data, errors } = await pay(system, customer, id);
  const result = data?.payOrder;
  if (result?.__typename !== 'PaymentSuccess') {
    throw new Error(`not paid: ${JSON.stringify(errors ?? result)}`);
  }
  return id;
}

/** The first shop order that a person sees of an order. @returns its id */
export async function shopOrderOf(
  system: TestSystem,
  { token }: Person,
  orderId: string,
): Promise<string> {
  const query = 'query ($id: UUID!) { order(id: $id) { shopOrders { id } } }';
  const { data } = await system.graphql(query, { id: orderId }, token);
  return data.order.shopOrders[0].id;
}
