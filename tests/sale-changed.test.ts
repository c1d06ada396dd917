import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { ReservationAnswer } from '../subgraphs/contracts/reservation.js';
import type { PublishedSaleState } from '../subgraphs/contracts/shop.js';
import { type Answer, overWebSocket, type Watch } from './harness/live.js';
import { checkout, logIn, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { startSubgraphProxy } from './harness/subgraph-proxy.js';
import { subgraphClient, watchOrder } from './harness/subscribe.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';
import { querySubgraph } from './rights/requests.js';

type Proxy = Awaited<ReturnType<typeof startSubgraphProxy>>;

const stream = `subscription ($id: UUID!) { saleChanged(id: $id) {
  state startsAt endsAt serverTime version offers { offer { id } remaining soldOut } } }`;

describe('a sale, as order shows it', () => {
  let system: TestSystem;
  let proxies: Proxy[];
  let shop: Awaited<ReturnType<typeof openShop>>;
  let vendor: Person;
  const saleId = randomUUID();
  const units = { allocated: 10, held: 0, sold: 0 };
  let state: PublishedSaleState = 'LIVE';
  let extension: Omit<ReservationAnswer, 'orderId'>;
  const extended: string[] = [];
  const clients: ReturnType<typeof overWebSocket>[] = [];

  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    shop = await openShop(system, vendor, [100]);
    const { SHOP_URL, WAREHOUSE_URL } = system.envOf('order');
    proxies = await Promise.all(
      [SHOP_URL, WAREHOUSE_URL].map((url) => startSubgraphProxy(url as string)),
    );
    const [ofShop, ofWarehouse] = proxies as [Proxy, Proxy];
    ofShop.answer('salesById', ({ ids }) => ((ids as string[]).includes(saleId) ? [sale()] : []));
    ofWarehouse.answer('saleStockOf', ({ saleIds }) =>
      (saleIds as string[]).map((id) => ({ lines: id === saleId ? [line()] : [] })),
    );
    ofWarehouse.answer('extendReservation', ({ requests }) =>
      (requests as { orderId: string }[]).map(({ orderId }) => {
        extended.push(orderId);
        return { orderId, ...extension };
      }),
    );
    await system.stopProcess('order');
    await system.start('order', { SHOP_URL: ofShop.url, WAREHOUSE_URL: ofWarehouse.url });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(async () => {
    await system.stop();
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  });

  const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const window = { startsAt: hoursFromNow(-1), endsAt: hoursFromNow(1) };
  const sale = () => ({
    ...{ id: saleId, state, ...window, admission: 'OPEN', eligibility: 'ANYONE' },
    ...{ admissionMinutes: 5, admissionsPerMinute: null, pausedMs: 0, isPaused: false },
    ...{ accountBefore: null, decidedAt: new Date().toISOString() },
    shops: [{ shopId: shop.shopId, ownerId: vendor.id }],
    offers: [{ offerId: shop.offerId, shopId: shop.shopId, sku: shop.sku }],
  });
  const line = () => ({
    ...{ shopId: shop.shopId, sku: shop.sku, ...units },
    remaining: units.allocated - units.held - units.sold,
  });

  function watch(token?: string, query = stream, id = saleId): Watch {
    const client = overWebSocket(system.url, token);
    clients.push(client);
    return client.subscribe(query, { id });
  }
  const last = ({ seen }: Watch) => seen.at(-1)?.data?.saleChanged;
  const until = (watched: Watch, isReached: (change: NonNullable<Answer['data']>) => boolean) =>
    eventually(
      async () => last(watched),
      (change) => change !== undefined && isReached(change),
    );

  it('is followed by everybody, with and without a login', async () => {
    const customer = await registerPerson(system);
    const all = [watch(), watch(customer.token), watch(vendor.token)];
    for (const each of all) await until(each, () => true);
    expect(last(all[0] as Watch)).toEqual({
      ...{ state: 'LIVE', ...window, version: expect.any(Number), serverTime: expect.any(String) },
      offers: [{ offer: { id: shop.offerId }, remaining: 10, soldOut: false }],
    });
    Object.assign(units, { held: 4, sold: 6 });
    for (const each of all) await until(each, ({ offers }) => offers[0].remaining === 0);
    Object.assign(units, { held: 0, sold: 10 });
    for (const each of all) await until(each, ({ offers }) => offers[0].soldOut === true);
    state = 'PAUSED';
    for (const each of all) await until(each, (change) => change.state === 'PAUSED');
    for (const { seen } of all) {
      const versions = seen.map(({ data }) => data.saleChanged.version);
      expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    }
    state = 'LIVE';
  });

  it('needs no other subgraph for its stream', async () => {
    const entities = async () => {
      const { shop: port } = system.ports.ops;
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return Number(
        /operation_seconds_count\{[^}]*operation="_entities"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0,
      );
    };
    const before = await entities();
    Object.assign(units, { held: 0, sold: 0 });
    const watched = watch();
    await until(watched, ({ offers }) => offers[0].remaining === 10);
    Object.assign(units, { held: 1, sold: 0 });
    await until(watched, ({ offers }) => offers[0].remaining === 9);
    expect(await entities()).toBe(before);
  });

  it('that does not exist ends the stream with NOT_FOUND', async () => {
    const watched = watch(undefined, stream, randomUUID());
    await eventually(async () => watched.ended() ?? watched.seen[0]?.errors, Boolean);
    const errors = watched.seen[0]?.errors ?? watched.ended();
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  it('has a report for the owner of its shop and for admins, and for nobody else', async () => {
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on SaleEvent {
      report { allocated sold refusalTotals { kind count } refusals { edges { node { kind } } } } } } }`;
    const variables = { of: [{ __typename: 'SaleEvent', id: saleId }] };
    const report = async (token?: string) => {
      const { data, errors } = await querySubgraph(
        system,
        'order',
        { query, variables },
        'router',
        token,
      );
      return errors?.[0]?.extensions.code ?? data._entities[0].report;
    };
    const [admin, other] = [await logIn(system, 'ada'), await registerPerson(system, 'VENDOR')];
    const customer = await registerPerson(system);
    const wanted = { allocated: 10, sold: 0, refusalTotals: [], refusals: { edges: [] } };
    expect(await report(vendor.token)).toEqual(wanted);
    expect(await report(admin.token)).toEqual(wanted);
    expect(await report(other.token)).toBe('FORBIDDEN');
    expect(await report(customer.token)).toBe('FORBIDDEN');
    expect(await report()).toBe('UNAUTHENTICATED');
  });

  describe('with a short hold', () => {
    const rows = async <T>(text: string, values: unknown[]) => {
      const client = new pg.Client({ connectionString: system.databases.order });
      await client.connect();
      return (await client.query(text, values).finally(() => client.end())).rows as T[];
    };
    /** An order that is held for a minute. */
    async function placeShort(customer: Person): Promise<string> {
      const { data } = await checkout(system, customer, [{ offerId: shop.offerId, quantity: 1 }]);
      const { id } = data.checkout.order;
      await rows(
        `update customer_order set reserve_for_ms = 60000, expires_at = now() + interval '1 minute'
         where id = $1`,
        [id],
      );
      return id;
    }

    it('has an order that is extended before it is paid, and orderChanged shows until when', async () => {
      const customer = await registerPerson(system);
      const id = await placeShort(customer);
      const client = subgraphClient(system, 'order', { token: customer.token });
      const { seen } = watchOrder(client, id);
      await eventually(async () => seen.length, Boolean);
      const expiresAt = new Date(Date.now() + 600_000).toISOString();
      extension = { state: 'HELD', expiresAt };
      extended.length = 0;
      const { data } = await pay(system, customer, id);
      expect(data.payOrder.__typename).toBe('PaymentSuccess');
      expect(extended).toEqual([id]);
      const query = 'query ($id: UUID!) { order(id: $id) { expiresAt } }';
      const shown = await system.graphql(query, { id }, customer.token);
      expect(shown.data.order.expiresAt).toBe(expiresAt);
      await eventually(
        async () => seen.at(-1)?.status,
        (status) => status === 'CONFIRMED',
      );
      await client.dispose();
    });

    it.each(['EXPIRED', 'RELEASED'] as const)(
      'has an order that is not paid once its reservation is %s',
      async (reservation) => {
        const customer = await registerPerson(system);
        const id = await placeShort(customer);
        extension = { state: reservation };
        const { data } = await pay(system, customer, id);
        expect(data.payOrder).toMatchObject({ __typename: 'OrderExpired' });
        expect(await rows('select 1 from payment where order_id = $1', [id])).toEqual([]);
      },
    );
  });
});
