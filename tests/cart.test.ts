import { uncountIdleCarts } from '../subgraphs/order/cart/uncount-idle-carts.js';
import { databaseSchema } from '../subgraphs/order/mikro-orm.config.js';
import { connect, disconnect } from '../subgraphs/shared/database/connect.js';
import { sql } from '../subgraphs/shared/database/sql.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { statementsOf } from './harness/statements.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const cartFields = `id total { amount currencyCode } items {
  offer { id } name quantity problem unitPrice { amount } lineTotal { amount } }`;
const resultFields = `__typename ... on Cart { ${cartFields} }
  ... on InsufficientStock { lines { offer { id } requested available } }
  ... on PurchaseLimitExceeded { lines { offer { id } limit already } }
  ... on OfferGone { offerIds }`;

describe('the cart, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: '0.1', PAYMENT_TIMEOUT_SECONDS: '2' });
    vendor = await registerPerson(system, 'VENDOR');
    const settings = { name: 'test', url: system.databases.order, poolMax: 2 };
    orm = await connect(settings, databaseSchema);
  });
  beforeEach(async () => {
    customer = await registerPerson(system);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await disconnect(orm);
    await system.stop();
  });

  const ask = async (query: string, variables: object = {}, { token } = customer) => {
    const { data, errors } = await system.graphql(query, variables, token);
    return errors ? { code: errors[0]?.extensions.code } : Object.values(data)[0];
  };
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  type Reply = any;
  const cart = (of = customer): Promise<Reply> => ask(`{ cart { ${cartFields} } }`, {}, of);
  const change =
    (verb: 'addToCart' | 'setCartItem', type: 'AddToCartInput' | 'SetCartItemInput') =>
    (offerId: string, quantity: number, of = customer) =>
      ask(
        `mutation ($input: ${type}!) { ${verb}(input: $input) { ${resultFields} } }`,
        { input: { offerId, quantity } },
        of,
      ) as Promise<Reply>;
  const add = change('addToCart', 'AddToCartInput');
  const set = change('setCartItem', 'SetCartItemInput');
  const remove = (offerId: string) =>
    ask(`mutation ($offerId: UUID!) { removeFromCart(offerId: $offerId) { ${cartFields} } }`, {
      offerId,
    });
  const setOffer = (input: object) =>
    ask('mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }', { input }, vendor);
  const quantities = async () =>
    (await cart()).items.map(({ quantity }: { quantity: number }) => quantity);

  it('is empty at first, and its total is exact', async () => {
    const nothing = { amount: '0.00', currencyCode: 'USD' };
    expect(await cart()).toEqual({ id: customer.id, total: nothing, items: [] });
    const one = await openShop(system, vendor, [50], '0.10');
    const other = await openShop(system, vendor, [50], '19.99');
    await add(one.offerId, 3);
    const full = await add(other.offerId, 7);
    expect(full).toEqual(expect.objectContaining(await cart()));
    expect(full).toMatchObject({
      total: { amount: '140.23', currencyCode: 'USD' },
      items: [
        { offer: { id: one.offerId }, quantity: 3, lineTotal: { amount: '0.30' }, problem: null },
        { quantity: 7, unitPrice: { amount: '19.99' }, lineTotal: { amount: '139.93' } },
      ],
    });
  });

  it('adds, sets, removes and clears, with one line for each offer', async () => {
    const { offerId } = await openShop(system, vendor, [50]);
    await add(offerId, 2);
    await add(offerId, 3);
    expect(await quantities()).toEqual([5]);
    await set(offerId, 4);
    expect(await quantities()).toEqual([4]);
    expect(await set(offerId, 0)).toEqual({ code: 'BAD_USER_INPUT' });
    expect(await quantities()).toEqual([4]);
    expect(await remove(offerId)).toMatchObject({ items: [], total: { amount: '0.00' } });
    expect(await remove(offerId)).toMatchObject({ items: [] });
    await add(offerId, 1);
    expect(await ask('mutation { clearCart { items { quantity } } }')).toEqual({ items: [] });
  });

  it('has no total while its lines have prices in several currencies', async () => {
    const dollars = await openShop(system, vendor, [50], '5.00');
    const euros = await openShop(system, vendor, [50], '7.00', undefined, 'EUR');
    const { total } = await add(euros.offerId, 1);
    expect(total).toEqual({ amount: '7.00', currencyCode: 'EUR' });
    expect(await add(dollars.offerId, 1)).toMatchObject({ total: null, items: [{}, {}] });
    expect(await remove(euros.offerId)).toMatchObject({ total: { amount: '5.00' } });
  });

  it('adds one unit unless a quantity is given, and sets no line without one', async () => {
    const { offerId } = await openShop(system, vendor, [50]);
    const send = (verb: string) =>
      ask(`mutation { ${verb}(input: { offerId: "${offerId}" }) { __typename } }`);
    expect(await send('addToCart')).toEqual({ __typename: 'Cart' });
    expect(await quantities()).toEqual([1]);
    await send('addToCart');
    expect(await send('setCartItem')).toHaveProperty('code');
    expect(await quantities()).toEqual([2]);
  });

  it('loses none of twenty units that are added at the same time', async () => {
    const { offerId } = await openShop(system, vendor, [50]);
    const other = await openShop(system, vendor, [50]);
    /** Again where nothing happened, as a busy machine refuses some of many at once. */
    const addSurely = async (id: string): Promise<void> => {
      if ((await add(id, 1)).code === 'TRY_AGAIN') await addSurely(id);
    };
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => addSurely(n % 2 ? offerId : other.offerId)),
    );
    expect(await quantities()).toEqual([10, 10]);
  });

  it('cannot be seen or changed by anybody else', async () => {
    const { offerId } = await openShop(system, vendor, [50]);
    await add(offerId, 2);
    const stranger = await registerPerson(system);
    expect((await cart(stranger)).items).toEqual([]);
    await add(offerId, 1, stranger);
    await ask('mutation { clearCart { id } }', {}, stranger);
    expect(await quantities()).toEqual([2]);
    const nobody = { id: '', token: '' };
    expect(await cart(nobody)).toEqual({ code: 'UNAUTHENTICATED' });
    expect(await add(offerId, 1, nobody)).toEqual({ code: 'UNAUTHENTICATED' });
  });

  it('refuses more than the stock or the limit allow, and an offer that is not for sale', async () => {
    const scarce = await openShop(system, vendor, [3]);
    await add(scarce.offerId, 2);
    expect(await add(scarce.offerId, 2)).toEqual({
      __typename: 'InsufficientStock',
      lines: [{ offer: { id: scarce.offerId }, requested: 4, available: 3 }],
    });
    const limited = await openShop(system, vendor, [50], '10.00', 3);
    await checkout(system, customer, [{ offerId: limited.offerId, quantity: 2 }]);
    expect(await set(limited.offerId, 2)).toEqual({
      __typename: 'PurchaseLimitExceeded',
      lines: [{ offer: { id: limited.offerId }, limit: 3, already: 2 }],
    });
    expect(await add(scarce.shopId, 1)).toEqual({
      __typename: 'OfferGone',
      offerIds: [scarce.shopId],
    });
    expect(await quantities()).toEqual([2]);
  });

  it('shows the problem of each line, read for the whole cart at once', async () => {
    const [fine, scarce, repriced, limited, gone] = (await Promise.all(
      Array.from({ length: 5 }, () => openShop(system, vendor, [50])),
    )) as [Reply, Reply, Reply, Reply, Reply];
    for (const { offerId } of [fine, scarce, repriced, limited, gone]) await add(offerId, 5);
    const offer = ({ shopId, sku }: Reply) => ({ shopId, sku, price: '10.00' });
    await setOffer({ ...offer(repriced), price: '10.01' });
    await setOffer({ ...offer(limited), purchaseLimit: 4 });
    await setOffer({ ...offer(gone), active: false });
    await checkout(system, vendor, [{ offerId: scarce.offerId, quantity: 48 }]);
    let items: Reply;
    const statements = await statementsOf('warehouse', async () => {
      items = (await cart()).items;
    });
    expect(statements).toHaveLength(1);
    expect(items.map(({ problem }: Reply) => problem)).toEqual([
      null,
      'INSUFFICIENT_STOCK',
      'PRICE_CHANGED',
      'LIMIT_EXCEEDED',
      'OFFER_GONE',
    ]);
    expect(items[2].unitPrice.amount).toBe('10.00');
    const accepted = await set(repriced.offerId, 5);
    expect(accepted.items[2]).toMatchObject({ problem: null, unitPrice: { amount: '10.01' } });
  });

  it('loses the ordered units once they are reserved, and gets them back when the order ends unpaid', async () => {
    const { offerId } = await openShop(system, vendor, [50]);
    const other = await openShop(system, vendor, [50]);
    await add(offerId, 2);
    await add(other.offerId, 5);
    const { data } = await checkout(system, customer, [
      { offerId, quantity: 3 },
      { offerId: other.offerId, quantity: 1 },
    ]);
    const order = data.checkout.order;
    expect((await cart()).items).toMatchObject([{ offer: { id: other.offerId }, quantity: 4 }]);
    await add(offerId, 1);
    const back = await eventually(cart, ({ items }) => items.length === 2 && items[0].quantity > 4);
    expect(back.items).toMatchObject([{ quantity: 5 }, { offer: { id: offerId }, quantity: 3 }]);
    const cancel = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await ask(cancel, { id: order.id });
    expect(await quantities()).toEqual([5, 3]);
  });

  it('shows the units in other customers’ carts of the last day', async () => {
    const shops = [await openShop(system, vendor, [50]), await openShop(system, vendor, [50])];
    const others = [await registerPerson(system), await registerPerson(system)];
    for (const { offerId } of shops) await add(offerId, 2);
    await add(shops[0]?.offerId as string, 3, others[0]);
    await add(shops[0]?.offerId as string, 4, others[1]);
    await set(shops[0]?.offerId as string, 1, others[1]);
    const query = '{ cart { items { offer { inOtherCarts } } } }';
    const inOthers = async () =>
      ((await ask(query)) as Reply).items.map(({ offer }: Reply) => offer.inOtherCarts);
    let seen: Reply;
    const read = async () => {
      seen = await inOthers();
    };
    const statements = await statementsOf('order', read, /^select .* from units_in_carts/s);
    expect(seen).toEqual([4, 0]);
    expect(statements).toHaveLength(1);
    const anyone = await system.graphql(`{ offer(id: "${shops[0]?.offerId}") { inOtherCarts } }`);
    expect(anyone.data.offer.inOtherCarts).toBe(6);

    const old = `update cart set updated_at = now() - interval '25 hours' where customer_id = $1`;
    await sql(orm.em, old, [others[0]?.id]);
    await uncountIdleCarts(orm.em); // unless the system’s worker did it already
    expect(await inOthers()).toEqual([1, 0]);
    await add(shops[1]?.offerId as string, 1, others[0]);
    expect(await inOthers()).toEqual([4, 1]);
  });

  it('does not get paid units back, and is unchanged by a checkout without enough stock', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    await add(offerId, 4);
    const short = await checkout(system, customer, [{ offerId, quantity: 6 }]);
    expect(short.data.checkout.__typename).toBe('InsufficientStock');
    expect(await quantities()).toEqual([4]);
    const { data } = await checkout(system, customer, [{ offerId, quantity: 3 }]);
    await pay(system, customer, data.checkout.order.id);
    expect(await quantities()).toEqual([1]);
  });
});
