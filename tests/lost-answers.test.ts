import { openShop, type Person, registerPerson } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { startSubgraphProxy } from './harness/subgraph-proxy.js';
import { type GraphQLReply, postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

const codesByPath = ({ errors = [] }: GraphQLReply) =>
  Object.fromEntries(errors.map(({ extensions, path }) => [path?.join('.'), extensions.code]));

describe('a mutation through the router', () => {
  let system: TestSystem;
  let warehouseProxy: Awaited<ReturnType<typeof startSubgraphProxy>>;
  let routerUrl: string;
  let vendor: Person;
  let shop: Awaited<ReturnType<typeof openShop>>;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    warehouseProxy = await startSubgraphProxy(
      system.envOf('router').SUBGRAPH_URL_WAREHOUSE as string,
    );
    const settings = { SUBGRAPH_URL_WAREHOUSE: warehouseProxy.url };
    routerUrl = (await startRouterBeside(system, settings)).graphqlUrl;
  });
  beforeEach(async () => {
    warehouseProxy.loseNothing();
    shop = await openShop(system, vendor, [5]);
  });
  afterAll(async () => {
    await stopRoutersBeside();
    await warehouseProxy.stop();
    await system.stop();
  });

  const send = (mutation: string, variables: object = {}, { token } = vendor) =>
    postGraphQL(routerUrl, mutation, variables, token);
  const stock = () => ({ warehouseId: shop.warehouseIds[0], sku: shop.sku, quantity: 2 });
  const receive = (selection = 'onHand') =>
    send(`mutation ($stock: ReceiveStockInput!) { receiveStock(input: $stock) { ${selection} } }`, {
      stock: stock(),
    });
  const onHand = async () =>
    (await actAs(system, vendor).levels(shop.warehouseIds[0] as string))[0]?.onHand;
  async function without<T>(
    subgraph: 'warehouse' | 'product' | 'shop',
    work: () => Promise<T>,
  ): Promise<T> {
    await system.stopProcess(subgraph);
    try {
      return await work();
    } finally {
      await system.start(subgraph);
    }
  }

  it('whose response was lost has an unknown outcome, and was executed', async () => {
    warehouseProxy.loseResponsesTo('receiveStock');
    const reply = await receive();
    expect(codesByPath(reply)).toEqual({ receiveStock: 'OUTCOME_UNKNOWN' });
    expect(reply.errors?.[0]?.message).toMatch(/not known whether this happened.*idempotencyKey/);
    expect(await onHand()).toBe(7);
  });

  it('can be tried again if the subgraph is not reachable, and changes nothing', async () => {
    const { graphqlUrl } = await startRouterBeside(system);
    const mutation = 'mutation ($stock: ReceiveStockInput!) { receiveStock(input: $stock) { id } }';
    const reply = await without('warehouse', () =>
      postGraphQL(graphqlUrl, mutation, { stock: stock() }, vendor.token),
    );
    expect(codesByPath(reply)).toEqual({ receiveStock: 'TRY_AGAIN' });
    expect(await onHand()).toBe(5);
  });

  it('can be tried again if the subgraph answers so before it executes anything', async () => {
    // A new process has to fetch the keys of access tokens, which the router has already.
    await send('mutation { logout }', {}, await registerPerson(system));
    await system.stopProcess('warehouse');
    await system.stopProcess('user');
    await system.start('warehouse');
    const reply = await receive();
    await system.start('user');
    expect(codesByPath(reply)).toEqual({ receiveStock: 'TRY_AGAIN' });
    expect(await onHand()).toBe(5);
  });

  it('returns its data without what another subgraph cannot read, at its path', async () => {
    const reply = await without('product', () => receive('onHand variant { product { name } }'));
    expect(reply.data.receiveStock.onHand).toBe(7);
    expect(codesByPath(reply)).toEqual({ 'receiveStock.variant.product': 'UNAVAILABLE' });
    expect(reply.errors?.[0]?.message).toMatch(/was executed.*product service.*Do not repeat/);
  });

  it('returns its data without what the other subgraph does not answer, at its path', async () => {
    const input = { shopId: shop.shopId, sku: shop.sku, price: '12.00' };
    warehouseProxy.loseResponsesTo('_entities');
    const reply = await send(
      `mutation ($input: SetOfferInput!) {
         setOffer(input: $input) { price { amount } availability { available } } }`,
      { input },
    );
    expect(reply.data.setOffer).toEqual({ price: { amount: '12.00' }, availability: null });
    expect(codesByPath(reply)).toEqual({ 'setOffer.availability': 'UNAVAILABLE' });
  });

  it('returns its data without what its own subgraph cannot read, at its path', async () => {
    const customer = await registerPerson(system);
    const other = await openShop(system, vendor, [5]);
    const select = '{ ... on Cart { items { quantity problem } } }';
    for (const [quantity, { offerId }] of [shop, other].entries()) {
      const input = { offerId, quantity: quantity + 1 };
      const mutation = `mutation ($input: AddToCartInput!) { addToCart(input: $input) ${select} }`;
      expect((await send(mutation, { input }, customer)).errors).toBeUndefined();
    }
    const mutation = `mutation { removeFromCart(offerId: "${shop.offerId}") ${select} }`;
    const reply = await without('warehouse', () => send(mutation, {}, customer));
    expect(reply.data.removeFromCart.items).toEqual([{ quantity: 2, problem: null }]);
    expect(codesByPath(reply)).toEqual({ 'removeFromCart.items.0.problem': 'UNAVAILABLE' });
  });

  describe('with root fields of two subgraphs', () => {
    const sendBoth = () =>
      send(
        `mutation ($stock: ReceiveStockInput!, $offer: SetOfferInput!) {
           receiveStock(input: $stock) { id } setOffer(input: $offer) { id } }`,
        { stock: stock(), offer: { shopId: shop.shopId, sku: shop.sku, price: '12.00' } },
      );
    const price = async () => {
      const query = `{ offer(id: "${shop.offerId}") { price { amount } } }`;
      return (await system.graphql(query)).data.offer.price.amount;
    };

    it('has an unknown outcome for the first, and can be tried again for the second, which was not sent', async () => {
      warehouseProxy.loseResponsesTo('receiveStock');
      const reply = await without('shop', sendBoth);
      expect(codesByPath(reply)).toEqual({
        receiveStock: 'OUTCOME_UNKNOWN',
        setOffer: 'TRY_AGAIN',
      });
      expect([await onHand(), await price()]).toEqual([7, '10.00']);
    });

    it('has an error for the second only if the first was executed', async () => {
      const reply = await without('shop', sendBoth);
      expect(codesByPath(reply)).toEqual({ setOffer: 'TRY_AGAIN' });
      expect([await onHand(), await price()]).toEqual([7, '10.00']);
    });

    it('executes the second although the first failed', async () => {
      warehouseProxy.loseResponsesTo('receiveStock');
      expect(codesByPath(await sendBoth())).toEqual({ receiveStock: 'OUTCOME_UNKNOWN' });
      expect(await price()).toBe('12.00');
    });
  });

  it('to the stock file of a warehouse has an unknown outcome if the response was lost', async () => {
    warehouseProxy.loseResponsesTo(shop.sku);
    const url = routerUrl.replace('/graphql', `/warehouses/${shop.warehouseIds[0]}/stock.csv`);
    const answer = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${vendor.token}` },
      body: `sku,quantity\n${shop.sku},9\n`,
    });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect(await onHand()).toBe(9);
  });
});
