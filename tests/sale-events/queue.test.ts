import pg from 'pg';
import { openBuyers } from '../../dev/seed/buyers.js';
import { checkDraw, drawFile } from '../../ops/verify-draw/check-draw.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { type FakeBeacon, startFakeBeacon } from '../harness/fake-beacon.js';
import { openShop, type Person, registerPerson } from '../harness/people.js';
import { rankCorrelation } from '../harness/queues.js';
import { retry } from '../harness/retry.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { letListClose, type OpenedSale, openSaleEvent, type SaleTerms } from './open-sale-event.js';

const ticketFields = `__typename id saleId early joinedAt drawNumber number position admittedAt
  admittedUntil leftAt receipt`;
const joinFields = `__typename ... on SaleTicket { ${ticketFields} } ... on NotEligible { reason }
  ... on SaleNotOpen { saleId startsAt offer { id } }`;
const drawFields = `saleId seedHash seed beaconChain beaconRound beaconSignature listClosesAt closedAt
  listCount listHash drawnAt receiptKeys`;

interface Ticket {
  readonly __typename: string;
  readonly id: string;
  readonly early: boolean;
  readonly drawNumber: number | null;
  readonly number: number | null;
  readonly position: number | null;
  readonly receipt: string;
  readonly joinedAt: string;
}

const timeOf = (ticket: Ticket | null) => Date.parse(ticket?.joinedAt as string);

/** Asks for all of them, some at once. */
async function ofEach<T, R>(all: readonly T[], ask: (one: T) => Promise<R>): Promise<R[]> {
  const replies: R[] = [];
  for (let from = 0; from < all.length; from += atOnce) {
    replies.push(...(await Promise.all(all.slice(from, from + atOnce).map(ask))));
  }
  return replies;
}
const atOnce = 100;

describe('the queue of a sale', () => {
  let system: TestSystem;
  let fake: FakeBeacon;
  let vendor: Person;
  beforeAll(async () => {
    fake = await startFakeBeacon();
    system = await startSystem(fake.env);
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterAll(async () => {
    await system.stop();
    await fake.stop();
  });

  async function openQueued(startsIn: number, more: Partial<SaleTerms> = {}): Promise<OpenedSale> {
    const { shopId, offerId } = await openShop(system, vendor, [100]);
    const lines = [{ offerId, price: '5.00', allocation: 10 }];
    const terms = { startsIn, lasts: 300, lines, admission: 'QUEUED' as const, ...more };
    return openSaleEvent(system, vendor, shopId, terms);
  }
  async function must<T>(query: string, saleId: string, token?: string): Promise<T> {
    const { data, errors } = await retry(() => system.graphql(query, { id: saleId }, token));
    if (errors) throw new Error(JSON.stringify(errors));
    return data.it;
  }
  const join = (saleId: string, { token }: Person) =>
    must<Ticket>(
      `mutation ($id: UUID!) { it: joinSale(saleId: $id) { ${joinFields} } }`,
      saleId,
      token,
    );
  const ticketOf = (saleId: string, { token }: Person) =>
    must<Ticket | null>(
      `query ($id: UUID!) { it: saleTicket(saleId: $id) { ${ticketFields} } }`,
      saleId,
      token,
    );
  const drawOf = (saleId: string) =>
    must<Record<string, string | number | null> | null>(
      `query ($id: UUID!) { it: saleDraw(saleId: $id) { ${drawFields} } }`,
      saleId,
    );
  const queueOf = (saleId: string) =>
    must<{ state: string }>('query ($id: UUID!) { it: saleQueue(saleId: $id) { state } }', saleId);
  const fileOf = async (saleId: string) => {
    const { origin } = new URL(system.url);
    return fetch(`${origin}/sales/${saleId}/draw.json`);
  };
  async function drawnIds(saleId: string): Promise<{ id: string; drawNumber: number }[]> {
    const tickets: { id: string; drawNumber: number }[] = [];
    for (let after: string | null = null; ; ) {
      const query: string = `query ($id: UUID!) { it: saleDraw(saleId: $id) {
        tickets(first: 100, after: ${JSON.stringify(after)}) {
          edges { node { id drawNumber } } pageInfo { hasNextPage endCursor } } } }`;
      const { tickets: page } = await must<{
        tickets: {
          edges: { node: { id: string; drawNumber: number } }[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
        };
      }>(query, saleId);
      tickets.push(...page.edges.map(({ node }) => node));
      if (!page.pageInfo.hasNextPage) return tickets;
      after = page.pageInfo.endCursor;
    }
  }

  it('is drawn as everybody can recompute from what is public, and goes on first in, first out', async () => {
    const sale = await openQueued(3600);
    const buyers = await openBuyers(system, 1000);
    const before = await drawOf(sale.id);
    expect(await queueOf(sale.id)).toEqual({ state: 'OPEN' });
    expect(before).toMatchObject({ seed: null, listHash: null, drawnAt: null });
    expect(before).toMatchObject({ beaconChain: fake.beacon.hash, beaconSignature: null });
    const joined = await ofEach(buyers, (buyer) => join(sale.id, buyer));
    expect(new Set(joined.map(({ early }) => early))).toEqual(new Set([true]));
    const again = await join(sale.id, buyers[0] as Person);
    expect(again).toEqual(joined[0]);
    expect(await ticketOf(sale.id, buyers[1] as Person)).toEqual(joined[1]);
    await system.redis.flush();

    const startsAt = await letListClose(system.databases.shop, sale.id);
    const closed = await eventually(
      () => drawOf(sale.id),
      (draw) => draw?.closedAt !== null,
      60_000,
    );
    expect(Date.parse(closed?.listClosesAt as string)).toBe(startsAt.getTime() - 30_000);
    expect(closed).toMatchObject({ listCount: 1000, seed: null, drawnAt: null });
    expect(await queueOf(sale.id)).toEqual({ state: 'CLOSED' });
    expect(await drawnIds(sale.id)).toEqual([]);
    const [first, second] = await openBuyers(system, 2);
    const late = [await join(sale.id, first as Person), await join(sale.id, second as Person)];
    expect(late).toMatchObject([
      { early: false, number: 1001, drawNumber: null },
      { early: false, number: 1002, drawNumber: null },
    ]);

    const drawn = await eventually(
      () => drawOf(sale.id),
      (draw) => draw?.drawnAt !== null,
      60_000,
    );
    expect(drawn).toMatchObject({ seedHash: before?.seedHash, listHash: closed?.listHash });
    const response = await fileOf(sale.id);
    expect(response.headers.get('content-disposition')).toContain('attachment');
    const file = drawFile.parse(await response.json());
    const { seedHash } = before as { seedHash: string };
    for (const { receipt } of joined.slice(0, 5)) {
      const checks = { chain: fake.beacon, seedHash, receipt };
      expect(await checkDraw(file, checks)).toEqual([]);
    }
    expect(file.tickets.toSorted()).toEqual(joined.map(({ id }) => id).toSorted());
    expect(await drawnIds(sale.id)).toEqual(
      file.tickets.map((id, at) => ({ id, drawNumber: at + 1 })),
    );
    expect(await queueOf(sale.id)).toEqual({ state: 'DRAWN' });
    const tickets = await ofEach(buyers, (buyer) => ticketOf(sale.id, buyer));
    for (const ticket of tickets) {
      expect(ticket?.drawNumber).toBe(file.tickets.indexOf(ticket?.id as string) + 1);
      expect(ticket?.number).toBe(ticket?.drawNumber);
    }
    const byTime = tickets.toSorted((a, b) => timeOf(a) - timeOf(b));
    const ranks = byTime.map((ticket) => ticket?.number as number);
    // Of fair draws one in 500,000 is above.
    expect(Math.abs(rankCorrelation(ranks))).toBeLessThan(0.15);
    await system.redis.flush();
    expect(await ticketOf(sale.id, buyers[3] as Person)).toMatchObject({
      number: tickets[3]?.number,
    });
  }, 180_000);

  it('has a ticket only for those who may buy, while the sale is not over, and leaves nothing else', async () => {
    const sale = await openQueued(3600, { eligibility: 'PROVEN_PHONE' });
    const open = await openQueued(3600, { admission: 'OPEN' });
    const [buyer] = await openBuyers(system, 1);
    expect(await join(sale.id, buyer as Person)).toEqual({
      __typename: 'NotEligible',
      reason: 'PHONE_NOT_PROVEN',
    });
    for (const id of [open.id, newId()]) {
      const notOpen = { __typename: 'SaleNotOpen', saleId: id, startsAt: null, offer: null };
      expect(await join(id, buyer as Person)).toEqual(notOpen);
      expect(await drawOf(id)).toBeNull();
      expect((await fileOf(id)).status).toBe(404);
    }
    expect(await ticketOf(sale.id, buyer as Person)).toBeNull();
    const client = new pg.Client({ connectionString: system.databases.order });
    await client.connect();
    const count = 'select count(*)::int as count from sale_ticket where customer_id = $1';
    const { rows } = await client.query(count, [buyer?.id]).finally(() => client.end());
    expect(rows[0].count).toBe(0);
  });

  it('is left and joined again with the same ticket while the list is open', async () => {
    const sale = await openQueued(3600);
    const [buyer] = (await openBuyers(system, 1)) as [Person];
    const leave = () =>
      must<object | null>(
        'mutation ($id: UUID!) { it: leaveSale(saleId: $id) { id leftAt position } }',
        sale.id,
        buyer.token,
      );
    expect(await leave()).toBeNull();
    const ticket = await join(sale.id, buyer);
    const left = await leave();
    expect(left).toEqual({ id: ticket.id, leftAt: expect.any(String), position: null });
    expect(await leave()).toEqual(left);
    expect(await join(sale.id, buyer)).toEqual(ticket);
  });

  it('follows its sale while the list is open: a later start, and an end of the queue', async () => {
    const sale = await openQueued(3600);
    const [buyer] = (await openBuyers(system, 1)) as [Person];
    await join(sale.id, buyer);
    const update = async (input: object) => {
      const query = 'mutation ($input: UpdateSaleInput!) { updateSale(input: $input) { id } }';
      const variables = { input: { id: sale.id, ...input } };
      const { errors } = await system.graphql(query, variables, vendor.token);
      expect(errors).toBeUndefined();
    };
    const startsAt = new Date(sale.startsAt.getTime() + 60_000);
    const before = await drawOf(sale.id);
    await update({ startsAt, endsAt: new Date(sale.endsAt.getTime() + 60_000) });
    const moved = await eventually(
      () => drawOf(sale.id),
      (draw) => draw?.listClosesAt !== before?.listClosesAt,
    );
    expect(Date.parse(moved?.listClosesAt as string)).toBe(startsAt.getTime() - 30_000);
    expect(Number(moved?.beaconRound)).toBe(Number(before?.beaconRound) + 60);
    expect(moved?.seedHash).toBe(before?.seedHash);
    await update({ admission: 'OPEN' });
    const [other] = (await openBuyers(system, 1)) as [Person];
    const refused = await eventually(
      () => join(sale.id, other),
      ({ __typename }) => __typename !== 'SaleTicket',
    );
    expect(refused.__typename).toBe('SaleNotOpen');
    await update({ admission: 'QUEUED' });
    await eventually(
      () => join(sale.id, other),
      ({ __typename }) => __typename === 'SaleTicket',
    );
  });
});
