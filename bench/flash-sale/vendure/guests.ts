import type { CountedPool } from '../../counted-pool.js';
import type { Shopper } from '../sale/shoppers.js';
import { type Ending, sendOnceOrTwice, type Visit } from '../sale/store.js';

const result = `{ __typename ... on Order { id state }
  ... on ErrorResult { errorCode message } }`;
const operations = {
  addItemToOrder: `mutation ($id: ID!, $quantity: Int!) {
    result: addItemToOrder(productVariantId: $id, quantity: $quantity) ${result} }`,
  setCustomerForOrder: `mutation ($input: CreateCustomerInput!) {
    result: setCustomerForOrder(input: $input) ${result} }`,
  setOrderShippingAddress: `mutation ($input: CreateAddressInput!) {
    result: setOrderShippingAddress(input: $input) ${result} }`,
  setOrderShippingMethod: `mutation ($ids: [ID!]!) {
    result: setOrderShippingMethod(shippingMethodId: $ids) ${result} }`,
  transitionOrderToState: `mutation ($state: String!) {
    result: transitionOrderToState(state: $state) { __typename ... on Order { id state }
      ... on OrderStateTransitionError { errorCode message transitionError } } }`,
  addPaymentToOrder: `mutation ($input: PaymentInput!) {
    result: addPaymentToOrder(input: $input) ${result} }`,
} as const;

interface Result {
  readonly __typename: string;
  readonly state?: string;
  readonly errorCode?: string;
  readonly transitionError?: string;
}

const shippingAddress = {
  fullName: 'Sam Body',
  streetLine1: '1 Main St',
  city: 'Springfield',
  postalCode: '62701',
  countryCode: 'US',
};
const shippingMethodId = '1';
const tokenHeader = 'vendure-auth-token';

/** How guests buy at Vendure, by the shortest way of its guide to the checkout: six requests with one product. */
export function createGuests(pool: CountedPool, path: string, variantIds: readonly string[]) {
  function openSession() {
    let token: string | undefined;
    return async (name: keyof typeof operations, variables: object): Promise<Result> => {
      const { headers, body } = await pool.request({
        method: 'POST',
        path,
        headers: {
          'content-type': 'application/json',
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ query: operations[name], variables }),
      });
      token ??= headers[tokenHeader] as string | undefined;
      const { data, errors } = (await body.json()) as {
        data?: { result: Result };
        errors?: object;
      };
      if (errors || !data) throw new Error(`${name}: ${JSON.stringify(errors)}`);
      return data.result;
    };
  }
  type Send = ReturnType<typeof openSession>;

  /** @returns whether the order waits for its payment; if not, there is too little stock */
  async function order(send: Send, shopper: Shopper): Promise<boolean> {
    for (const { sku, quantity } of shopper.cart) {
      const added = await send('addItemToOrder', { id: variantIds[sku], quantity });
      if (added.errorCode === 'INSUFFICIENT_STOCK_ERROR') return false;
      requireOrder(added);
    }
    const emailAddress = `guest-${shopper.number}@example.com`;
    const input = { firstName: 'Sam', lastName: 'Body', emailAddress };
    requireOrder(await send('setCustomerForOrder', { input }));
    requireOrder(await send('setOrderShippingAddress', { input: shippingAddress }));
    requireOrder(await send('setOrderShippingMethod', { ids: [shippingMethodId] }));
    const moved = await send('transitionOrderToState', { state: 'ArrangingPayment' });
    if (moved.transitionError?.includes('stock')) return false;
    requireOrder(moved);
    return true;
  }

  /** @throws if it was neither taken nor declined */
  async function pay(send: Send, { repeats }: Shopper, metadata: object): Promise<Ending> {
    const input = { method: 'dummy-payment', metadata };
    // Of two requests one may fail: the shopper has the answer of the other.
    const attempt = () => send('addPaymentToOrder', { input }).catch((error: Error) => error);
    const answers = await sendOnceOrTwice(repeats, attempt);
    const results = answers.flatMap((answer) => (answer instanceof Error ? [] : [answer]));
    if (results.some(({ state }) => state === 'PaymentSettled')) return 'paid';
    if (results.some(({ errorCode }) => errorCode === 'PAYMENT_DECLINED_ERROR')) return 'declined';
    throw answers.find((answer) => answer instanceof Error) ?? new Error(JSON.stringify(answers));
  }

  return async (shopper: Shopper, { arrivedMs, waited }: Visit): Promise<Ending> => {
    const send = openSession();
    const isPlaced = await order(send, shopper);
    waited(isPlaced ? 'checkout' : 'refusal', arrivedMs);
    if (!isPlaced) return 'refused';
    if (shopper.intention === 'leave') return 'left unpaid';
    if (shopper.intention === 'cancel') {
      requireOrder(await send('transitionOrderToState', { state: 'Cancelled' }));
      return 'cancelled';
    }
    const isDeclined = shopper.intention === 'pay by a declined card';
    const paysMs = performance.now();
    const ending = await pay(send, shopper, isDeclined ? { shouldDecline: true } : {});
    waited('payment', paysMs);
    return ending;
  };
}

function requireOrder(result: Result): void {
  if (result.__typename !== 'Order') throw new Error(JSON.stringify(result));
}
