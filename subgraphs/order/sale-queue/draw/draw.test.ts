import pg from 'pg';
import { type FakeBeacon, startFakeBeacon } from '../../../../tests/harness/fake-beacon.js';
import {
  fixedId,
  fixedSeed,
  openQueues,
  rankCorrelation,
  type TestQueues,
} from '../../../../tests/harness/queues.js';
import { whileHeld } from '../../../../tests/harness/while-held.js';
import { statementTimeoutMs } from '../../../shared/database/client.js';
import { newId } from '../../../shared/ids.js';
import { drawGauges } from './draw-gauges.js';
import { drawOrderOf, listHashOf, sha256 } from './draw-order.js';

const hourMs = 3_600_000;

describe('the draw of a queue', () => {
  let queues: TestQueues;
  beforeAll(async () => {
    queues = await openQueues();
  });
  afterAll(() => queues.close());

  const drawn = async (saleId: string) => {
    await queues.listCloses(saleId);
    await queues.draw();
    return queues.queueOf(saleId);
  };

  it('of 1,000 tickets is that of the HMACs, and does not follow the order of joining', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    for (let n = 0; n < 1000; n++) await queues.join(saleId, n, newId(), fixedId(n));
    const { list_count, list_hash, seed, next_number } = await drawn(saleId);
    const tickets = await queues.ticketsOf(saleId);
    const ids = tickets.map(({ id }) => id);
    expect([list_count, next_number]).toEqual([1000, 1001]);
    expect(list_hash).toEqual(listHashOf(ids));
    const input = { seed, beacon: Buffer.alloc(0), listHash: list_hash as Buffer, ids };
    expect(ids).toEqual(drawOrderOf(input));
    const all = Array.from({ length: 1000 }, (_, n) => n + 1);
    expect(tickets.map((ticket) => ticket.draw_number)).toEqual(all);
    expect(tickets.map((ticket) => ticket.number)).toEqual(all);
    const byTime = tickets.toSorted((a, b) => a.joined_at.getTime() - b.joined_at.getTime());
    const ranks = byTime.map((ticket) => ticket.draw_number as number);
    // The seed and the ids are fixed, so that this does not depend on chance.
    expect(Math.abs(rankCorrelation(ranks))).toBeLessThan(0.15);
    expect(rankCorrelation(all)).toBe(1);
  });

  it('of an empty list is done, and the first to join afterwards has number 1', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const { drawn_at, list_count, list_hash } = await drawn(saleId);
    expect([drawn_at === null, list_count]).toEqual([false, 0]);
    expect(list_hash).toEqual(sha256(Buffer.alloc(0)));
    expect(await queues.join(saleId)).toMatchObject({ early: false, number: 1, drawNumber: null });
  });

  it('is done once, however many processes do it at the same time', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    await Promise.all(Array.from({ length: 50 }, (_, n) => queues.join(saleId, n)));
    await queues.listCloses(saleId);
    await Promise.all(Array.from({ length: 5 }, () => queues.draw()));
    const { drawn_at } = await queues.queueOf(saleId);
    const before = await queues.ticketsOf(saleId);
    await queues.draw();
    expect(await queues.ticketsOf(saleId)).toEqual(before);
    expect((await queues.queueOf(saleId)).drawn_at).toEqual(drawn_at);
  });

  it('waits for another process that draws, and changes nothing then', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    await queues.join(saleId);
    await queues.listCloses(saleId);
    const closed = `update sale_queue set closed_at = now(), list_count = 1, list_hash = sha256('')
      where sale_id = $1`;
    await queues.rows(closed, [saleId]);
    const drawn = 'update sale_queue set drawn_at = now() where sale_id = $1';
    await whileHeld(queues.url, { taking: [drawn, [saleId]] }, queues.draw);
    expect(await queues.ticketsOf(saleId)).toMatchObject([{ draw_number: null, number: null }]);
  });

  it('leaves a queue to the process that draws it, and goes on with others', async () => {
    const [drawing, other] = [
      await queues.queue({ startsInMs: hourMs }),
      await queues.queue({ startsInMs: 2 * hourMs }),
    ];
    await queues.listCloses(drawing);
    const drawer = new pg.Client({ connectionString: queues.url });
    await drawer.connect();
    await drawer.query('begin');
    await drawer.query(`select pg_advisory_xact_lock(hashtextextended('draw ' || $1::text, 0))`, [
      drawing,
    ]);
    expect((await drawn(other)).drawn_at).not.toBeNull();
    expect((await queues.queueOf(drawing)).drawn_at).toBeNull();
    await drawer.end();
    expect((await drawn(drawing)).drawn_at).not.toBeNull();
  });

  it('does not wait for a queue that is locked', async () => {
    const [locked, other] = [
      await queues.queue({ startsInMs: hourMs }),
      await queues.queue({ startsInMs: hourMs }),
    ];
    await queues.listCloses(locked);
    const joining = new pg.Client({ connectionString: queues.url });
    await joining.connect();
    await joining.query('begin');
    await joining.query('select 1 from sale_queue where sale_id = $1 for update', [locked]);
    expect((await drawn(other)).drawn_at).not.toBeNull();
    expect((await queues.queueOf(locked)).closed_at).toBeNull();
    await joining.end();
    await queues.draw();
    expect((await queues.queueOf(locked)).drawn_at).not.toBeNull();
  });

  it('is of a list whose closing takes longer than statements of requests may', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const { id } = await queues.join(saleId);
    await queues.rows(`create function wait_long() returns trigger language plpgsql as $$
      begin perform pg_sleep(${(statementTimeoutMs * 1.1) / 1000}); return new; end $$`);
    await queues.rows(`create trigger wait_long before update of closed_at on sale_queue
      for each row execute function wait_long()`);
    expect((await drawn(saleId)).drawn_at).not.toBeNull();
    await queues.rows('drop function wait_long cascade');
    expect(await queues.ticketsOf(saleId)).toMatchObject([{ id, draw_number: 1 }]);
  });

  it('gives tickets that were left a number, and those that are taken again one at the end', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const [away, back, staying] = [newId(), newId(), newId()];
    for (const customerId of [away, back, staying]) await queues.join(saleId, 0, customerId);
    const leave =
      'update sale_ticket set left_at = now() where sale_id = $1 and customer_id = any($2)';
    await queues.rows(leave, [saleId, [away, back]]);
    await queues.listCloses(saleId);
    const again = await queues.join(saleId, 1, back);
    expect(again).toMatchObject({ early: true, number: 4, drawNumber: null, leftAt: null });
    await queues.draw();
    const tickets = await queues.ticketsOf(saleId);
    expect(tickets.map((ticket) => ticket.draw_number)).toEqual([1, 2, 3]);
    const of = (customerId: string) => tickets.find((each) => each.customer_id === customerId);
    expect(of(back)?.number).toBe(4);
    expect(of(away)).toMatchObject({ number: of(away)?.draw_number, left_at: expect.any(Date) });
    expect(of(staying)?.number).toBe(of(staying)?.draw_number);
  });
});

describe('a draw with a beacon', () => {
  let fake: FakeBeacon;
  let queues: TestQueues;
  beforeAll(async () => {
    fake = await startFakeBeacon();
    queues = await openQueues(fake.beacon);
  });
  afterEach(() => {
    Object.assign(fake.state, { isLate: false, isWrong: false });
  });
  afterAll(async () => {
    await queues.close();
    await fake.stop();
  });

  it.each(['isLate', 'isWrong'] as const)(
    'waits while the value of its round %s, and uses that of the same round',
    async (fault) => {
      // The round was due a second ago.
      const saleId = await queues.queue({ startsInMs: 14_000 });
      await queues.rows(`update sale_queue set starts_at = starts_at + interval '1 h'`);
      for (let n = 0; n < 20; n++) await queues.join(saleId, n);
      fake.state[fault] = true;
      await queues.listCloses(saleId);
      await queues.draw();
      const waiting = await queues.queueOf(saleId);
      expect([waiting.closed_at === null, waiting.drawn_at]).toEqual([false, null]);
      expect((await queues.join(saleId)).number).toBe(21);
      fake.state[fault] = false;
      await queues.draw();
      const { seed, list_hash, beacon_signature } = await queues.queueOf(saleId);
      const round = fake.requested.at(-1) as number;
      expect(new Set(fake.requested.slice(-3))).toEqual(new Set([round]));
      expect(beacon_signature?.toString('hex')).toBe(fake.signatureOf(round));
      const early = (await queues.ticketsOf(saleId)).filter((ticket) => ticket.early);
      const ids = early.map(({ id }) => id);
      const beacon = sha256(beacon_signature as Buffer);
      const input = { seed, beacon, listHash: list_hash as Buffer, ids };
      expect(ids).toEqual(drawOrderOf(input));
      expect(ids).not.toEqual(drawOrderOf({ ...input, beacon: Buffer.alloc(0) }));
      expect(seed).toEqual(fixedSeed);
    },
  );

  it('that waits shows for how long, and is not done for a sale that is over', async () => {
    const overdueS = () => drawGauges[0]?.read({ em: queues.orm.em.fork() });
    const set = (change: string, saleId: string) =>
      queues.rows(`update sale_queue set ${change} where sale_id = $1`, [saleId]);
    // The round was due a second ago.
    const saleId = await queues.queue({ startsInMs: 14_000 });
    await set(`starts_at = starts_at + interval '1 h'`, saleId);
    await queues.join(saleId);
    expect(await overdueS()).toBe(0);
    fake.state.isLate = true;
    await queues.listCloses(saleId);
    await queues.draw();
    await set(`starts_at = clock_timestamp() - interval '90 s'`, saleId);
    expect(Math.floor(((await overdueS()) as number) / 100)).toBe(1);
    await set('ended_at = now()', saleId);
    expect(await overdueS()).toBe(0);
    fake.state.isLate = false;
    await queues.draw();
    expect((await queues.queueOf(saleId)).drawn_at).toBeNull();
    await set('ended_at = null', saleId);
    await queues.draw();
    expect((await queues.queueOf(saleId)).drawn_at).not.toBeNull();
    expect(await overdueS()).toBe(0);
  });
});
