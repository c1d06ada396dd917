import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';

describe('checking out, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const ordersOf = async ({ token }: Person): Promise<{ id: string; status: string }[]> => {
    const { data } = await system.graphql(
      '{ orders(first: 100) { edges { node { id status cancelReason } } } }',
      {},
      token,
    );
    return data.orders.edges.map(({ node }: { node: object }) => node);
  };
  const cancel = ({ token }: Person, id: string) =>
    system.graphql('mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }', { id }, token);

  describe('purchase limits', () => {
    it('hold over all orders of a customer, and nothing is placed beyond them', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [50], '10.00', 3);
      const first = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      expect(first.data.checkout.__typename).toBe('CheckoutSuccess');
      await pay(system, customer, first.data.checkout.order.id);
      const second = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      expect(second.data.checkout).toMatchObject({
        __typename: 'PurchaseLimitExceeded',
        lines: [{ offer: { id: offerId }, limit: 3, already: 2 }],
      });
      expect(await ordersOf(customer)).toHaveLength(1);
      const third = await checkout(system, customer, [{ offerId, quantity: 1 }]);
      expect(third.data.checkout.__typename).toBe('CheckoutSuccess');
    });

    it('50 parallel checkouts by one customer over a limit of 2 give 2 units', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [100], '10.00', 2);
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => checkout(system, customer, [{ offerId, quantity: 1 }])),
      );
      const kinds = replies.map(({ data }) => data.checkout.__typename).sort();
      expect(kinds.slice(0, 2)).toEqual(['CheckoutSuccess', 'CheckoutSuccess']);
      expect(new Set(kinds.slice(2))).toEqual(new Set(['PurchaseLimitExceeded']));
      expect(await ordersOf(customer)).toHaveLength(2);
    });

    it('count again what was cancelled or short, and a stored refusal answers the same', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [2], '10.00', 3);
      const short = await checkout(system, customer, [{ offerId, quantity: 3 }]);
      expect(short.data.checkout.__typename).toBe('InsufficientStock');
      const { data } = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      const refused = () => checkout(system, customer, [{ offerId, quantity: 2 }], 'refused');
      const before = await refused();
      expect(before.data.checkout.__typename).toBe('PurchaseLimitExceeded');
      await cancel(customer, data.checkout.order.id);
      const again = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      expect(again.data.checkout.__typename).toBe('CheckoutSuccess');
      expect((await refused()).data).toEqual(before.data);
    });

    it('know what was bought before they were set', async () => {
      const customer = await registerPerson(system);
      const { offerId, shopId, sku } = await openShop(system, vendor, [50]);
      await checkout(system, customer, [{ offerId, quantity: 2 }]);
      await system.graphql(
        'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
        { input: { shopId, sku, price: '10.00', purchaseLimit: 2 } },
        vendor.token,
      );
      const { data } = await checkout(system, customer, [{ offerId, quantity: 1 }]);
      expect(data.checkout.lines).toMatchObject([{ limit: 2, already: 2 }]);
      const other = await checkout(system, vendor, [{ offerId, quantity: 2 }]);
      expect(other.data.checkout.__typename).toBe('CheckoutSuccess');
    });
  });

  it('50 parallel checkouts with one key make one order', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [100], '10.00', 1);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () =>
        checkout(system, customer, [{ offerId, quantity: 1 }], 'one'),
      ),
    );
    const ids = replies.map(({ data }) => data.checkout.order.id);
    expect(new Set(ids).size).toBe(1);
    expect(await ordersOf(customer)).toHaveLength(1);
  });
});
