import { overWebSocket } from './harness/live.js';
import { openShop, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('an alias of a client', () => {
  let system: TestSystem;
  let offer: { id: string; sku: string; shop: { id: string; slug: string } };
  beforeAll(async () => {
    system = await startSystem();
    const { offerId } = await openShop(system, await registerPerson(system, 'VENDOR'), [5]);
    const query = 'query ($id: UUID!) { offer(id: $id) { id variant { sku } shop { id slug } } }';
    const { data } = await system.graphql(query, { id: offerId });
    offer = { id: offerId, sku: data.offer.variant.sku, shop: data.offer.shop };
  });
  afterAll(() => system.stop());

  const ask = async (query: string, variables: object) => {
    const { data, errors } = await system.graphql(query, variables);
    return { data, ...(errors && { errors }) };
  };
  const askOffer = (selection: string, fragment = '') => {
    const query = `query ($id: UUID!) { offer(id: $id) { ${selection} } } ${fragment}`;
    return ask(query, { id: offer.id });
  };

  it('that is the name of a key shows the field that the client selected', async () => {
    const query = `query ($sku: String!) { variant(sku: $sku) {
      sku: name availability { available } } }`;
    const reply = await ask(query, { sku: offer.sku });
    expect(reply).toEqual({
      data: { variant: { sku: 'the only one', availability: { available: 5 } } },
    });
  });

  it('that is the name of a key is not sent as the key', async () => {
    const reply = await askOffer('shop { id: slug } availability { available }');
    expect(reply).toEqual({
      data: { offer: { shop: { id: offer.shop.slug }, availability: { available: 5 } } },
    });
  });

  it('that is the name of a key may be that of an object', async () => {
    const reply = await askOffer('id: price { amount } availability { available }');
    expect(reply).toEqual({
      data: { offer: { id: { amount: '10.00' }, availability: { available: 5 } } },
    });
  });

  it('may exchange the names of two fields, also in fragments', async () => {
    const reply = await askOffer(
      'id variant: shop { id: slug slug: id } ...More',
      'fragment More on Offer { shop: variant { sku: name name: sku } availability { available } }',
    );
    expect(reply).toEqual({
      data: {
        offer: {
          id: offer.id,
          variant: { id: offer.shop.slug, slug: offer.shop.id },
          shop: { sku: 'the only one', name: offer.sku },
          availability: { available: 5 },
        },
      },
    });
  });

  it('may be __typename, and __typename may have another', async () => {
    const reply = await askOffer(
      'kind: __typename __typename: id availability { what: __typename }',
    );
    expect(reply).toEqual({
      data: {
        offer: { kind: 'Offer', __typename: offer.id, availability: { what: 'Availability' } },
      },
    });
  });

  it('that is the name of a key is right in subscriptions too', async () => {
    const client = overWebSocket(system.url);
    const watch = client.subscribe(`subscription { stockChanged(skus: ["${offer.sku}"]) {
      variant { sku: name } shop { id: slug } left: available } }`);
    await eventually(
      async () => watch.seen,
      (seen) => seen.length > 0,
    );
    expect(watch.seen[0]?.data).toEqual({
      stockChanged: { variant: { sku: 'the only one' }, shop: { id: offer.shop.slug }, left: 5 },
    });
    client.close();
  });

  it('is in the paths of errors', async () => {
    await system.stopProcess('warehouse');
    const reply = await askOffer('shop { id: slug } left: availability { available }');
    await system.start('warehouse');
    expect(reply.data).toEqual({ offer: { shop: { id: offer.shop.slug }, left: null } });
    expect(reply.errors?.map(({ path }) => path)).toEqual([['offer', 'left']]);
  });
});
