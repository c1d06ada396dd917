import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { openBuyers } from '../../dev/seed/buyers.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { queuesIn } from '../harness/admission.js';
import { overWebSocket } from '../harness/live.js';
import { address, openShop, type Person, pay, registerPerson } from '../harness/people.js';
import { type ProcessSystem, startProcessSystem } from '../harness/process-system.js';
import { retry } from '../harness/retry.js';
import { postGraphQL } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { watchQueue } from '../harness/watched-queue.js';
import { openSaleEvent } from './open-sale-event.js';

type Graphql = ProcessSystem['graphql'];

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id } }
  ... on NotAdmitted { message saleId position serverTime }
} }`;
const stream = `subscription ($id: UUID!) { saleChanged(id: $id) {
  state servingNumber waiting admittedPerMinute offers { soldOut } } }`;
const queueQuery = `query ($saleId: UUID!) { saleQueue(saleId: $saleId) {
  saleId state servingNumber waiting admittedPerMinute listClosesAt startsAt serverTime } }`;
/** Longer than processes take to start on a busy machine. */
const restartMaxMs = 120_000;
const recoveryMaxMs = 30_000;

/** A sale of few units with a queue, in a system whose processes can be killed. Its queue and tickets are inserted. */
describe('a sale with a queue', () => {
  let system: ProcessSystem;
  let vendor: Person;
  let client: pg.Client;
  let queues: ReturnType<typeof queuesIn>;
  beforeAll(async () => {
    system = await startProcessSystem();
    vendor = await registerPerson(system, 'VENDOR');
    client = new pg.Client({ connectionString: system.databases.order });
    await client.connect();
    queues = queuesIn(async (text, values) => (await client.query(text, values)).rows);
  });
  afterAll(async () => {
    await client?.end();
    await system?.stop();
  });

  /** A sale that is live soon, with a ticket for each of some buyers. */
  async function openQueued(units: number, count: number, terms: object = {}) {
    const shop = await openShop(system, vendor, [100]);
    const line = { offerId: shop.offerId, price: '5.00', allocation: units };
    const sale = await openSaleEvent(system, vendor, shop.shopId, {
      ...{ startsIn: 5, lasts: 3600, lines: [line], admission: 'QUEUED', ...terms },
    });
    await queues.addQueue({ saleId: sale.id });
    const buyers = await openBuyers(system, count);
    for (const { id } of buyers) await queues.addTicket(sale.id, { customerId: id });
    return { sale, buyers, offerId: shop.offerId };
  }
  type Queued = Awaited<ReturnType<typeof openQueued>>;

  const inputOf = ({ sale, offerId }: Queued, key: string) => ({
    ...{ idempotencyKey: key, shippingAddress: { ...address, street: newId() } },
    items: [{ offerId, quantity: 1, saleId: sale.id }],
  });
  async function buy(
    of: Queued,
    buyer: Person | undefined,
    { key = randomUUID(), through = system.graphql as Graphql, input = inputOf(of, key) } = {},
  ) {
    const reply = await retry(() => through(checkoutMutation, { input }, buyer?.token));
    if (reply.errors) throw new Error(JSON.stringify(reply.errors));
    return reply.data.checkout;
  }
  async function payUntilDone(buyer: Person, orderId: string): Promise<void> {
    const key = randomUUID();
    await eventually(
      () => pay(system, buyer, orderId, undefined, key).catch(() => null),
      (reply) => reply?.data?.payOrder.__typename === 'PaymentSuccess',
      restartMaxMs,
    );
  }
  async function flushRedis(): Promise<void> {
    const redis = new Redis(system.redis.url);
    await redis.flushall();
    redis.disconnect();
  }
  const untilAdmitted = (of: Queued, numbers: readonly number[]) =>
    eventually(
      () => queues.admittedIn(of.sale.id),
      (admitted) => admitted.length >= numbers.length,
    ).then((admitted) => expect(admitted).toEqual(numbers));
  const ordersIn = async ({ sale }: Queued) => {
    const { rows } = await client.query(
      'select count(*)::int as count from order_item where sale_id = $1',
      [sale.id],
    );
    return rows[0].count as number;
  };

  it('takes orders of those only whose turn it is, by any way', async () => {
    const of = await openQueued(2, 4);
    const beside = await system.startOrderBeside();
    await untilAdmitted(of, [1, 2]);
    const [first, , third] = of.buyers;
    const key = randomUUID();
    const input = inputOf(of, key);
    const refused = { __typename: 'NotAdmitted', saleId: of.sale.id, position: 1 };
    expect(await buy(of, third, { input })).toMatchObject(refused);
    expect(await buy(of, third, { input, through: beside })).toMatchObject(refused);
    expect(await buy(of, third, { through: beside })).toMatchObject(refused);
    const [stranger] = await openBuyers(system, 1);
    expect(await buy(of, stranger)).toMatchObject({ ...refused, position: null });
    const parallel = Array.from({ length: 50 }, (_, n) =>
      buy(of, third, { through: n % 2 ? beside : system.graphql }),
    );
    for (const outcome of await Promise.all(parallel)) expect(outcome).toMatchObject(refused);
    expect(await ordersIn(of)).toBe(0);
    const placed = await buy(of, first, { key });
    expect(placed.__typename).toBe('CheckoutSuccess');
    const again = await buy(of, first, { through: beside });
    expect(again).toMatchObject({ ...refused, position: null });
    expect(await ordersIn(of)).toBe(1);
    // The subgraph takes requests of the router only, which has no `_entities`; and decides the same for it.
    const ofOrder = `http://127.0.0.1:${system.ports.ports.order}/graphql`;
    const send = (headers: Record<string, string>) =>
      postGraphQL(
        ofOrder,
        checkoutMutation,
        { input: inputOf(of, newId()) },
        third?.token,
        headers,
      );
    expect((await send({})).data?.checkout).toBeUndefined();
    const entities = `query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }`;
    const ticket = { __typename: 'SaleTicket', id: newId() };
    const { errors } = await system.graphql(entities, { of: [ticket] }, third?.token);
    expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await ordersIn(of)).toBe(1);
  });

  it('shows everybody its watermark, and ends when all units are paid for', async () => {
    const of = await openQueued(1, 3);
    const live = overWebSocket(system.url);
    const { seen } = live.subscribe(stream, { id: of.sale.id });
    const last = () => seen.at(-1)?.data?.saleChanged;
    await eventually(
      async () => last(),
      (change) => change?.servingNumber === 1,
    );
    expect(last()).toMatchObject({ state: 'LIVE', waiting: 2, admittedPerMinute: 1 });
    const shown = await system.graphql(queueQuery, { saleId: of.sale.id });
    expect(shown.data.saleQueue).toMatchObject({
      ...{ saleId: of.sale.id, state: 'ADMITTING', servingNumber: 1, waiting: 2 },
    });
    const none = await system.graphql(queueQuery, { saleId: randomUUID() });
    expect(none.data.saleQueue).toBeNull();
    const { order } = await buy(of, of.buyers[0]);
    await pay(system, of.buyers[0] as Person, order.id);
    await eventually(
      async () => last(),
      (change) => change?.offers[0].soldOut === true && change.waiting === 0,
    );
    const ended = await system.graphql(queueQuery, { saleId: of.sale.id });
    expect(ended.data.saleQueue).toMatchObject({ state: 'ENDED', servingNumber: 1, waiting: 0 });
    live.close();
  });

  it('never moves anybody back, and sells all, through kills of each process and FLUSHALL', async () => {
    const of = await openQueued(6, 12);
    const watched = await watchQueue(system.databases.order, of.sale.id);
    const buying = of.buyers.map(async (buyer) => {
      let input = inputOf(of, randomUUID());
      while (!(await queues.queueOf(of.sale.id)).ended) {
        const outcome = await buy(of, buyer, { input }).catch(() => null);
        if (outcome?.__typename === 'CheckoutSuccess') return payUntilDone(buyer, outcome.order.id);
        // Without an answer it is repeated as it was: with another address its key would be refused.
        if (outcome) input = inputOf(of, randomUUID());
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    });
    for (const name of ['order', 'warehouse', 'user', 'product', 'shop', 'router'] as const) {
      await flushRedis();
      await system.kill(name);
      await system.start(name);
    }
    await Promise.all(buying);
    expect(await watched.end()).toEqual([]);
    const { serving } = await queues.queueOf(of.sale.id);
    expect(await queues.admittedIn(of.sale.id)).toEqual(
      Array.from({ length: serving }, (_, n) => n + 1),
    );
    await system.expectInvariants(recoveryMaxMs);
  }, 400_000);
});
