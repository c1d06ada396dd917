import { randomUUID } from 'node:crypto';
import { openShop, type Person, registerPerson } from './harness/people.js';
import { type ProcessSystem, startProcessSystem } from './harness/process-system.js';
import { eventually } from './harness/wait.js';

const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();
// A worker takes over what the killed process began 10 s after it was begun.
const recoveryMaxMs = 60_000;

const points = [
  'change of a sale stored, nothing allocated',
  'units of a shop allocated, not recorded',
  'units of a sale allocated, change not completed',
];

describe('a change of a sale whose process is killed', () => {
  let system: ProcessSystem;
  let vendor: Person;
  beforeAll(async () => {
    system = await startProcessSystem();
    vendor = await registerPerson(system, 'VENDOR');
  }, 240_000);
  afterAll(() => system.stop(), 60_000);

  async function mutate(name: string, type: string, input: object, selection: string) {
    const query = `mutation ($input: ${type}!) { it: ${name}(input: $input) { ${selection} } }`;
    const { data, errors } = await system.graphql(query, { input }, vendor.token);
    if (errors) throw new Error(JSON.stringify(errors));
    return data.it;
  }
  /** A draft with an offer of which the shop has 100 units. */
  async function draft() {
    const { shopId, offerId } = await openShop(system, vendor, [100]);
    const times = { startsAt: hours(1), endsAt: hours(2) };
    const sale = { shopId, name: 'Sale', slug: `sale-${randomUUID()}`, ...times };
    const id: string = (await mutate('createSale', 'CreateSaleInput', sale, 'id')).id;
    const offers = [{ offerId, price: '5.00', allocation: 10 }];
    await mutate('setSaleOffers', 'SetSaleOffersInput', { saleId: id, offers }, '__typename');
    return { id, offerId };
  }
  const change = (name: string, id: string) =>
    system
      .graphql(`mutation ($id: UUID!) { ${name}(id: $id) { __typename } }`, { id }, vendor.token)
      .catch(() => null);
  const read = async (id: string) => {
    const query = `query ($id: UUID!) { sale(id: $id) { state isChanging
      offers { edges { node { allocation remaining offer { sale { id } } } } } } }`;
    const { data } = await system.graphql(query, { id }, vendor.token);
    return data?.sale;
  };
  const becomes = (id: string, state: string, remaining: number | null) =>
    eventually(
      () => read(id),
      (sale) =>
        sale?.state === state &&
        !sale.isChanging &&
        sale.offers.edges[0].node.remaining === remaining,
      recoveryMaxMs,
    );
  async function killAt(point: string, act: () => Promise<unknown>) {
    system.arm('shop', point);
    await Promise.all([act(), system.gone('shop')]);
    await system.start('shop');
  }

  it.each(points)('is published by a worker, after: %s', async (point) => {
    const { id } = await draft();
    await killAt(point, () => change('publishSale', id));
    await becomes(id, 'SCHEDULED', 10);
    expect((await read(id)).offers.edges[0].node.offer.sale).toEqual({ id });
  });

  it('is cancelled at once, and its units are freed by a worker', async () => {
    const { id } = await draft();
    await change('publishSale', id);
    await becomes(id, 'SCHEDULED', 10);
    await killAt(points[0] as string, () => change('cancelSale', id));
    // The warehouse keeps no units of a sale that held and sold none.
    await becomes(id, 'CANCELLED', null);
    expect((await read(id)).offers.edges[0].node.offer.sale).toBeNull();
  });
});
