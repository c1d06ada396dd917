import { randomUUID } from 'node:crypto';
import { demoPassword } from '../../dev/seed/demo-store.js';
import { seedId } from '../../dev/seed/ids.js';
import { isPaymentPending, retry } from './retry.js';
import type { GraphQLReply, TestSystem } from './system.js';

type Reached = Pick<TestSystem, 'graphql'>;

export interface Person {
  readonly id: string;
  readonly token: string;
}

/** Logs in a user of the demo store: ana, ben (customers), vera, victor (vendors) or ada (admin). */
export const logIn = (system: Reached, name: string): Promise<Person> =>
  logInWith(system, `${name}@example.com`, demoPassword);

async function logInWith(system: Reached, identifier: string, password: string): Promise<Person> {
  const { data } = await retry(() =>
    system.graphql(
      `mutation ($input: LoginInput!) {
         login(input: $input) { ... on Session { accessToken user { id } } }
       }`,
      { input: { identifier, password } },
    ),
  );
  return { id: data.login.user.id, token: data.login.accessToken };
}

export async function registerPerson(system: Reached, role = 'CUSTOMER'): Promise<Person> {
  const email = `${randomUUID()}@example.com`;
  const input = { name: 'Somebody', email, password: 'secret-1', role };
  // Many at once wait for their hashes, and the last ones too long.
  const { data, errors } = await retry(() =>
    system.graphql(
      `mutation ($input: RegisterInput!) {
         register(input: $input) { ... on Session { accessToken user { id } } }
       }`,
      { input },
    ),
  );
  if (errors) throw new Error(JSON.stringify(errors));
  // The attempt before may have registered the person, and its answer was lost: then the address is taken.
  if (!data.register.user) return logInWith(system, email, input.password);
  return { id: data.register.user.id, token: data.register.accessToken };
}

/** Opens a shop with a new product of one variant, and a warehouse for each number of units. */
export async function openShop(
  system: Reached,
  vendor: Person,
  unitsOfWarehouses: readonly number[],
  price = '10.00',
  purchaseLimit?: number,
  currencyCode = 'USD',
) {
  const tail = randomUUID().slice(0, 8);
  const sku = `SALE-${tail}`;
  const must = async (query: string, given: object) => {
    // What repeats itself has a key, so that a busy machine changes nothing.
    const key = query.includes('setOffer') ? {} : { idempotencyKey: randomUUID() };
    const input = { ...given, ...key };
    const { data, errors } = await retry(() => system.graphql(query, { input }, vendor.token));
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as { id: string };
  };
  await must('mutation ($input: CreateProductInput!) { createProduct(input: $input) { id } }', {
    name: `Product ${tail}`,
    description: 'A product for tests',
    categoryId: seedId('category', 0),
    variants: [{ sku, name: 'the only one' }],
  });
  const shop = await must(
    'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }',
    {
      name: `Shop ${tail}`,
      slug: `shop-${tail}`,
      currencyCode,
    },
  );
  const offer = await must('mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }', {
    shopId: shop.id,
    sku,
    price,
    purchaseLimit,
  });
  const warehouseIds: string[] = [];
  for (const [n, quantity] of unitsOfWarehouses.entries()) {
    const warehouse = await must(
      'mutation ($input: CreateWarehouseInput!) { createWarehouse(input: $input) { id } }',
      { shopId: shop.id, name: `Warehouse ${n}`, priority: n },
    );
    warehouseIds.push(warehouse.id);
    await must('mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { id } }', {
      warehouseId: warehouse.id,
      sku,
      quantity,
      reference: 'first delivery',
    });
  }
  return { shopId: shop.id, sku, offerId: offer.id, warehouseIds };
}

export const place = { street: '1 Main St', city: 'Springfield', zip: '12345', country: 'US' };

/** What an order needs. */
export const address = { recipient: 'Sam Body', ...place };

const paymentOutcomes = `
  ... on PaymentPending { payment { id status } }
  ... on PaymentActionRequired { clientSecret payment { id status } }
  ... on PaymentDeclined { message code order { id status cancelReason } }
  ... on OrderExpired { message order { id status } }
  ... on OrderNotPayable { message status }`;

const checkoutMutation = `mutation ($input: CheckoutInput!) {
  checkout(input: $input) {
    __typename
    ... on CheckoutSuccess { order { id number status expiresAt total { amount currencyCode } } }
    ... on InsufficientStock { message lines { offer { id } requested available } }
    ... on PurchaseLimitExceeded { message lines { offer { id } limit already } }
    ... on PriceChanged {
      message lines { offer { id } oldPrice { amount } newPrice { amount } }
      expected { amount } actual { amount }
    }
    ... on CartEmpty { message }
    ... on OfferGone { message offerIds }
    ... on MixedCurrencies { message currencyCodes }
    ... on PaymentSuccess { order { id status } payment { id status amount { amount } } }
    ${paymentOutcomes}
  }
}`;

/** Sends a checkout with any input, and selects the fields of every possible result. */
export const checkoutWith = ({ graphql }: Reached, { token }: Person, input: object) =>
  graphql(checkoutMutation, { input: { idempotencyKey: randomUUID(), ...input } }, token);

const plainMethod = 'Credit Card';

/**
 * Retries with the same key, as clients do, on TRY_AGAIN, OUTCOME_UNKNOWN and PaymentPending. With other
 * payment methods than the plain one a test may expect PaymentPending.
 *
 * @returns the last reply
 */
const retryAsClientsDo = (send: () => Promise<GraphQLReply>, method?: string) =>
  retry(send, (reply) => method === plainMethod && isPaymentPending(reply));

type Items = ReadonlyArray<{ offerId: string; quantity: number }>;

/** Sends one checkout, which pays at once if it has a `paymentMethod`. The reply may be TRY_AGAIN. */
export function checkoutOnce(
  system: Reached,
  person: Person,
  items: Items,
  idempotencyKey: string = randomUUID(),
  paymentMethod?: string,
) {
  const input = { idempotencyKey, items, shippingAddress: address, paymentMethod };
  return system.graphql(checkoutMutation, { input }, person.token);
}

/** As `checkoutOnce`, with retries under the same key. */
export const checkout = (
  system: Reached,
  person: Person,
  items: Items,
  idempotencyKey: string = randomUUID(),
  paymentMethod?: string,
) =>
  retryAsClientsDo(
    () => checkoutOnce(system, person, items, idempotencyKey, paymentMethod),
    paymentMethod,
  );

const payMutation = `mutation ($input: PayOrderInput!) {
  payOrder(input: $input) {
    __typename
    ... on PaymentSuccess { order { id status } payment { id status amount { amount } } }
    ${paymentOutcomes}
  }
}`;

/** Sends one payment. The reply may be TRY_AGAIN or PaymentPending. */
export function payOnce(
  system: Reached,
  person: Person,
  orderId: string,
  paymentMethod = plainMethod,
  idempotencyKey: string = randomUUID(),
) {
  const input = { orderId, paymentMethod, idempotencyKey };
  return system.graphql(payMutation, { input }, person.token);
}

/** As `payOnce`, with retries under the same key; under a new one where nothing was charged. */
export function pay(
  system: Reached,
  person: Person,
  orderId: string,
  paymentMethod = plainMethod,
  idempotencyKey: string = randomUUID(),
) {
  let key = idempotencyKey;
  const send = async () => {
    const reply = await payOnce(system, person, orderId, paymentMethod, key);
    if (reply.errors?.[0]?.message.startsWith('Nothing was charged')) key = randomUUID();
    return reply;
  };
  return retryAsClientsDo(send, paymentMethod);
}

export async function availableOf(system: Reached, offerId: string): Promise<number> {
  const { data } = await system.graphql(
    'query ($id: UUID!) { offer(id: $id) { availability { available } } }',
    { id: offerId },
  );
  return data.offer.availability.available;
}
