import { randomUUID } from 'node:crypto';
import { demoPassword } from '../../dev/seed/demo-store.js';
import type { SeededSession } from '../../dev/seed/sessions.js';
import type { GraphQLClient } from '../router/operations.js';
import { shippingAddress } from '../shipping-address.js';
import type { Arrivals } from './arrivals.js';

// Each token is replaced once in so many seconds, as each login costs argon2.
const logins = 20;

const addToCart = `mutation ($input: AddToCartInput!) { addToCart(input: $input) {
  __typename ... on Cart { id items { quantity } total { amount } } } }`;
const checkout = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename ... on CheckoutSuccess { order { id number expiresAt total { amount } } } } }`;
const payOrder = `mutation ($input: PayOrderInput!) { payOrder(input: $input) {
  __typename ... on PaymentSuccess { order { id status } } } }`;
const cancelOrder = `mutation ($id: UUID!, $key: String) { cancelOrder(id: $id, idempotencyKey: $key) {
  __typename ... on Order { id status } } }`;
const sessionFields = '{ __typename ... on Session { refreshToken } }';
const login = `mutation ($input: LoginInput!) { login(input: $input) ${sessionFields} }`;
const refreshSession = `mutation ($token: String!) {
  refreshSession(refreshToken: $token) ${sessionFields} }`;

/** What becomes of ten orders in turn. */
const endings = [
  ...(['paid', 'expires', 'refunded', 'cancelled', 'refunded'] as const),
  ...(['cancelled', 'paid', 'expires', 'refunded', 'cancelled'] as const),
];

/** Customers who fill a cart, order it, and pay, cancel or leave it, and others who refresh their sessions. */
export async function createBuyers(
  arrivals: Arrivals,
  router: GraphQLClient,
  customers: readonly SeededSession[],
  offers: readonly string[],
  tokenOf: (userId: string) => string,
) {
  let purchases = 0;
  let left = 0;
  let refreshes = 0;
  /** Sends a mutation. @throws unless the result has this type */
  async function must(name: string, type: string, query: string, variables: object, token = '') {
    // biome-ignore lint/suspicious/noExplicitAny: answers to operations of our own
    const { data } = (await router.sendKeyed(query, variables, token)) as { data?: any };
    const result = data[name];
    if (result.__typename !== type) throw new Error(`${name}: ${JSON.stringify(result)}`);
    return result;
  }
  const refreshTokens: string[] = [];
  for (const { email } of customers.slice(0, logins)) {
    const input = { identifier: email, password: demoPassword };
    refreshTokens.push((await must('login', 'Session', login, { input })).refreshToken);
  }
  return {
    async purchase(): Promise<void> {
      const n = purchases++;
      const token = tokenOf((customers[n % customers.length] as SeededSession).userId);
      await arrivals.measure('add to cart', () => {
        const offerId = offers[n % offers.length];
        const input = { offerId, quantity: 1, idempotencyKey: randomUUID() };
        return must('addToCart', 'Cart', addToCart, { input }, token);
      });
      const { order } = await arrivals.measure('checkout', () => {
        const input = { idempotencyKey: randomUUID(), shippingAddress };
        return must('checkout', 'CheckoutSuccess', checkout, { input }, token);
      });
      const pay = () =>
        arrivals.measure('pay', () => {
          const input = { orderId: order.id, idempotencyKey: randomUUID() };
          return must('payOrder', 'PaymentSuccess', payOrder, { input }, token);
        });
      const cancel = (kind: string) =>
        arrivals.measure(kind, () =>
          must('cancelOrder', 'Order', cancelOrder, { id: order.id, key: randomUUID() }, token),
        );
      const ending = endings[n % endings.length];
      if (ending === 'paid' || ending === 'refunded') await pay();
      if (ending === 'refunded') await cancel('cancel and refund');
      if (ending === 'cancelled') await cancel('cancel');
      if (ending === 'expires') left += 1;
    },
    async refresh(): Promise<void> {
      const at = refreshes++ % refreshTokens.length;
      const session = await arrivals.measure('refresh session', () =>
        must('refreshSession', 'Session', refreshSession, { token: refreshTokens[at] }),
      );
      refreshTokens[at] = session.refreshToken;
    },
    /** orders that were left unpaid, to expire */
    left: () => left,
  };
}
export type Buyers = Awaited<ReturnType<typeof createBuyers>>;
