import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { seedId } from '../../dev/seed/ids.js';
import type { SubgraphName } from '../../ops/subgraph-names.js';
import { address, logIn, openShop, type Person, registerPerson } from '../harness/people.js';
import { isPaymentPending, retry } from '../harness/retry.js';
import { sessionIdOf } from '../harness/sessions.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { actAs } from '../harness/vendor.js';
import type { Viewer } from './expected.js';
import { openDrawnQueue, publishQueuedSale } from './queue.js';
import { createSales } from './sales.js';
import { createShortfall, createStock } from './stock.js';

const names = {
  customer: 'ana',
  otherCustomer: 'ben',
  vendor: 'vera',
  otherVendor: 'victor',
  admin: 'ada',
} as const satisfies Partial<Record<Viewer, string>>;

interface PlacedOrder {
  readonly id: string;
  readonly shopOrders: readonly { readonly id: string }[];
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/**
 * The system with one of everything: a paid order of the customer from the vendor's shop, whose product,
 * warehouses and stock belong to the vendor too, an order of the vendor, a submitted stock count, and a
 * variant of which a unit is missing.
 */
export async function createWorld(overrides: Record<string, string> = {}) {
  const system = await startSystem({ OPEN_UNITS_PER_OFFER_MAX: '9999', ...overrides });
  const logInAs = async (viewer: Viewer): Promise<Person | null> =>
    viewer === 'nobody' ? null : logIn(system, names[viewer]);
  const people = {} as Record<keyof typeof names, Person>;
  for (const viewer of Object.keys(names) as (keyof typeof names)[]) {
    people[viewer] = await logIn(system, names[viewer]);
  }
  const change = (of: SubgraphName, query: string, values: unknown[]) =>
    changeRows(system.databases[of], query, values);
  await change('user', 'update user_account set phone = $1 where id = $2', [
    '+12025550144',
    people.vendor.id,
  ]);
  const must = (viewer: keyof typeof names, query: string, variables: object) =>
    mustGraphQL(system, people[viewer], query, variables);

  const shop = await openShop(system, people.vendor, [1000, 1000]);
  const setOffer = async (input: object): Promise<string> =>
    (await must('vendor', offerMutation, { input: { shopId: shop.shopId, ...input } })).setOffer.id;
  await setOffer({
    sku: shop.sku,
    price: '10.00',
    compareAtPrice: '12.00',
    purchaseLimit: 100_000,
    holdLimit: 100_000,
  });
  const foreign = await openForeignShop(must, shop.sku);
  const vendor = actAs(system, people.vendor);
  const stock = await createStock(vendor, shop);
  const { variant } = await must('vendor', variantQuery, { sku: shop.sku });
  const place = async (
    viewer: keyof typeof names,
    item = { offerId: shop.offerId, quantity: 1 },
  ): Promise<PlacedOrder> => {
    const { checkout } = await must(viewer, checkoutMutation, { input: checkoutInput([item]) });
    return checkout.order;
  };
  const placeOrder = async (viewer: keyof typeof names = 'customer'): Promise<string> =>
    (await place(viewer)).id;
  const customerIds = Object.values(people).map(({ id }) => id);
  /** Adds an item to every cart; no cart is counted until it is changed. */
  const fillCarts = () =>
    change(
      'order',
      `with carts as (
         insert into cart (customer_id, shard) select id, 0 from unnest($1::uuid[]) as person (id)
         on conflict (customer_id) do update set counted = false
       ), counters as (delete from units_in_carts)
       insert into cart_item (customer_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
       select id, $2, id, 'New', 10, 'USD', 1 from unnest($1::uuid[]) as person (id)
       on conflict do nothing`,
      [customerIds, shop.offerId],
    );
  const emptyCarts = () =>
    change(
      'order',
      `with carts as (update cart set counted = false), counters as (delete from units_in_carts)
       delete from cart_item`,
      [],
    );
  const payFor = async (orderId: string) => {
    const input = { orderId, idempotencyKey: randomUUID() };
    return (await must('customer', payMutation, { input })).payOrder;
  };
  const orderId = await placeOrder();
  const payOrder = await payFor(orderId);
  const refundId = randomUUID();
  await change(
    'order',
    `with refunded as (
       insert into refund (customer_id, id, payment_id, shop_order_id, amount, reason, status)
       select customer_id, $1, id, $3, 0.01, 'a scratch', 'COMPLETED' from payment where id = $2)
     insert into dispute (customer_id, id, payment_id, provider_dispute_id, status, amount, reason)
     select customer_id, $1, id, 'dp_1', 'INQUIRY', 0.01, 'general' from payment where id = $2`,
    [refundId, payOrder.payment.id, payOrder.order.shopOrders[0].id],
  );
  const ofVendor = await place('vendor');
  const newVariant = async (): Promise<string> => {
    const sku = `SKU-${randomUUID().slice(0, 13)}`;
    const input = { productId: variant.product.id, variant: { sku, name: 'New' } };
    await must('vendor', variantMutation, { input });
    return sku;
  };
  /** of a new variant, in the vendor's shop */
  const newOffer = async () => setOffer({ sku: await newVariant(), price: '10.00' });
  const sales = await createSales(vendor, change, shop, newOffer);
  const short = { warehouseId: shop.warehouseIds[0] as string, sku: await newVariant() };
  const shortOfferId = await setOffer({ sku: short.sku, price: '10.00' });
  const loseShortUnit = await createShortfall(vendor, short, async (quantity) =>
    payFor((await place('customer', { offerId: shortOfferId, quantity })).id),
  );
  const plainOfferId = await newOffer();
  const limitedOfferId = await setOffer({ sku: 'TRAIL-40', price: '10.00', purchaseLimit: 1 });
  const drawnSaleId = await openDrawnQueue(change, Object.values(people));
  const joinedSaleId = await openDrawnQueue(change, Object.values(people));
  await publishQueuedSale(change, shop.shopId);
  const stranger = await registerPerson(system);
  let phones = 1000;
  const newPhone = () => `+1202555${phones++}`;

  return {
    system,
    people,
    ...shop,
    ...stock,
    /** without limits of its own */
    plainOfferId,
    /** with a purchase limit of one unit */
    limitedOfferId,
    foreignOfferId: foreign.setOffer.id,
    productId: variant.product.id as string,
    categoryId: seedId('category', 0),
    orderId,
    shopOrderId: payOrder.order.shopOrders[0].id as string,
    paymentId: payOrder.payment.id as string,
    /** a completed refund of that payment */
    refundId,
    strangerId: stranger.id,
    newPhone,
    /** a challenge with its code, for a new phone number */
    async proof() {
      const phone = newPhone();
      const { requestOtp } = await must('customer', otpMutation, { input: { phone } });
      return { challengeId: requestOtp.id as string, code: system.messages.codeFor(phone) };
    },
    /** of the customer */
    newAddress: async () =>
      (await must('customer', addressMutation, { input: { street: '2 Side St' } })).addAddress
        .id as string,
    /** of the vendor, with one variant without offers */
    async newProduct() {
      const sku = `NEW-${randomUUID()}`;
      const variants = [{ sku, name: 'New' }];
      const { createProduct } = await must('vendor', productMutation, {
        input: { name: 'New', description: 'New', categoryId: seedId('category', 0), variants },
      });
      return { id: createProduct.id as string, sku };
    },
    newOffer,
    ...sales,
    /** a sale whose queue was drawn, with a ticket of everybody */
    drawnSaleId,
    /** another one, whose tickets are left and taken */
    joinedSaleId,
    /** an unpaid order in the vendor's shop */
    unpaidShopOrderId: ofVendor.shopOrders[0]?.id as string,
    /** Makes the shortfall of a level rise. */
    loseShortUnit,
    placeOrder,
    fillCarts,
    emptyCarts,
    /** the shop order of a paid order */
    newSale: async (): Promise<string> => (await payFor(await placeOrder())).order.shopOrders[0].id,
    /** the one line of a shop order */
    async itemOf(shopOrderId: string): Promise<string> {
      const client = new pg.Client({ connectionString: system.databases.order });
      await client.connect();
      const query = 'select id from order_item where shop_order_id = $1';
      const { rows } = await client.query(query, [shopOrderId]).finally(() => client.end());
      return rows[0].id;
    },
    async newFailedRefund() {
      const [id, { payment }] = [randomUUID(), await payFor(await placeOrder())];
      await change(
        'order',
        `insert into refund (customer_id, id, payment_id, amount, reason, status, failure_reason)
         select customer_id, $1, id, 0.01, 'a scratch', 'FAILED', 'closed card'
         from payment where id = $2`,
        [id, payment.id],
      );
      return id;
    },
    /** the shop order of a paid order whose payment is disputed */
    async newDisputedSale(): Promise<string> {
      const { payment, order } = await payFor(await placeOrder());
      await change(
        'order',
        `insert into dispute
           (customer_id, id, payment_id, provider_dispute_id, status, amount, reason)
         select customer_id, gen_random_uuid(), id, 'dp_1', 'OPEN', 10, 'fraudulent'
         from payment where id = $1`,
        [payment.id],
      );
      return order.shopOrders[0].id;
    },
    checkoutInput,
    /** The input of a checkout that is repeated by anybody, and was refused so. */
    async refusedInput(outcome: object) {
      const input = checkoutInput([{ offerId: shop.shopId, quantity: 1 }]);
      for (const viewer of Object.keys(names) as (keyof typeof names)[]) {
        await must(viewer, refusedMutation, { input });
      }
      await change('order', 'update idempotency_key set outcome = $1 where key = $2', [
        outcome,
        input.idempotencyKey,
      ]);
      return { input };
    },
    change,
    tokenOf: (viewer: Viewer) => (viewer === 'nobody' ? undefined : people[viewer].token),
    /** of a new session */
    newTokenOf: async (viewer: Viewer) => (await logInAs(viewer))?.token,
    /** the id of a new session of the customer */
    newSession: async () => sessionIdOf((await logIn(system, names.customer)).token),
    cancel: (id: string) => must('customer', cancelMutation, { id }),
    stop: () => system.stop(),
  };
}

const productMutation =
  'mutation ($input: CreateProductInput!) { createProduct(input: $input) { id } }';
const otpMutation = 'mutation ($input: RequestOtpInput!) { requestOtp(input: $input) { id } }';
const addressMutation = 'mutation ($input: AddAddressInput!) { addAddress(input: $input) { id } }';
const variantMutation = 'mutation ($input: AddVariantInput!) { addVariant(input: $input) { sku } }';
const offerMutation = 'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }';
const variantQuery = 'query ($sku: String!) { variant(sku: $sku) { product { id } } }';
const cancelMutation = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
const checkoutMutation = `mutation ($input: CheckoutInput!) {
  checkout(input: $input) { ... on CheckoutSuccess { order { id shopOrders { id } } } }
}`;
const payMutation = `mutation ($input: PayOrderInput!) {
  payOrder(input: $input) {
    ... on PaymentSuccess { order { shopOrders { id } } payment { id } }
  }
}`;

const refusedMutation =
  'mutation ($input: CheckoutInput!) { checkout(input: $input) { __typename } }';
const checkoutInput = (items?: { offerId: string; saleId?: string; quantity: number }[]) => ({
  idempotencyKey: randomUUID(),
  items,
  shippingAddress: { ...address, state: 'Illinois', phone: '+12025550143' },
});

type Must = (
  viewer: keyof typeof names,
  query: string,
  variables: object,
) => ReturnType<typeof mustGraphQL>;

async function openForeignShop(must: Must, sku: string) {
  const { createShop } = await must(
    'vendor',
    'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }',
    { input: { name: 'Abroad', slug: `abroad-${randomUUID()}`, currencyCode: 'EUR' } },
  );
  return must('vendor', offerMutation, {
    input: { shopId: createShop.id, sku, price: '9.00' },
  });
}

async function mustGraphQL(system: TestSystem, person: Person, query: string, variables: object) {
  const send = () => system.graphql(query, variables, person.token);
  const isRetryable = /checkout|payOrder/.test(query);
  const { data, errors } = await (isRetryable ? retry(send, isPaymentPending) : send());
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function changeRows(connectionString: string, query: string, values: unknown[]) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(query, values).finally(() => client.end());
}
