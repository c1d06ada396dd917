import pg from 'pg';
import { openQueues, type TestQueues } from '../../../../tests/harness/queues.js';
import { eventually, someoneWaits } from '../../../../tests/harness/wait.js';
import { whileHeld } from '../../../../tests/harness/while-held.js';
import { newId } from '../../../shared/ids.js';
import type { SaleTicket } from '../sale-ticket.js';

const hourMs = 3_600_000;

describe('those who join a queue', () => {
  let queues: TestQueues;
  beforeAll(async () => {
    queues = await openQueues();
  });
  afterAll(() => queues.close());

  it('get one ticket each, also in parallel requests to two processes', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const customers = Array.from({ length: 20 }, newId);
    const joined = await Promise.all(
      Array.from({ length: 200 }, (_, n) => queues.join(saleId, n, customers[n % 20])),
    );
    const ids = new Set(joined.map(({ id }) => id));
    expect(ids.size).toBe(20);
    expect((await queues.ticketsOf(saleId)).map(({ id }) => id).toSorted()).toEqual(
      [...ids].toSorted(),
    );
    await queues.listCloses(saleId);
    const late = newId();
    const tickets = await Promise.all(
      Array.from({ length: 50 }, (_, n) => queues.join(saleId, n, late)),
    );
    expect(new Set(tickets.map(({ number }) => number))).toEqual(new Set([21]));
    expect((await queues.queueOf(saleId)).next_number).toBe(22);
  });

  it('get each exactly one number while the list is closed and drawn, in order of their answers', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const answered: { ticket: SaleTicket; sentMs: number; answeredMs: number }[] = [];
    const isOver = () => answered.filter(({ ticket }) => !ticket.early).length >= 100;
    const client = async (n: number) => {
      while (!isOver()) {
        const sentMs = performance.now();
        const ticket = await queues.join(saleId, n);
        answered.push({ ticket, sentMs, answeredMs: performance.now() });
      }
    };
    const drawing = async () => {
      await eventually(
        async () => answered.length,
        (count) => count >= 100,
      );
      await queues.listCloses(saleId);
      while (!isOver()) await queues.draw();
    };
    await Promise.all([...Array.from({ length: 16 }, (_, n) => client(n)), drawing()]);
    await queues.draw();

    const { drawn_at, list_count, next_number } = await queues.queueOf(saleId);
    expect(drawn_at).not.toBeNull();
    const tickets = await queues.ticketsOf(saleId);
    expect(tickets.length).toBe(answered.length);
    const early = tickets.filter((ticket) => ticket.early);
    expect(early.length).toBe(list_count);
    expect([early.length > 0, early.length < tickets.length]).toEqual([true, true]);
    expect(early.map((ticket) => ticket.draw_number)).toEqual(early.map((_, n) => n + 1));
    const numbers = tickets.map(({ number }) => number as number).toSorted((a, b) => a - b);
    expect(numbers).toEqual(tickets.map((_, n) => n + 1));
    expect(next_number).toBe(tickets.length + 1);

    const late = answered
      .filter(({ ticket }) => !ticket.early)
      .toSorted((a, b) => (a.ticket.number as number) - (b.ticket.number as number));
    let latestSentMs = 0;
    for (const { sentMs, answeredMs } of late) {
      // Whoever has a lower number was sent before this one was answered.
      expect(latestSentMs).toBeLessThan(answeredMs);
      latestSentMs = Math.max(latestSentMs, sentMs);
    }
  });

  it('wait for whoever closes the list, and are behind it then', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const closed = `update sale_queue set closed_at = now(), list_count = 0, list_hash = sha256('')
      where sale_id = $1`;
    const joined = await whileHeld(queues.url, { taking: [closed, [saleId]] }, () =>
      queues.join(saleId),
    );
    expect(joined).toMatchObject({ early: false, number: 1, drawNumber: null });
  });

  it('are waited for by whoever closes the list, and are in it then', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    await queues.listCloses(saleId);
    const shared = 'select from sale_queue where sale_id = $1 for share';
    const joined = `insert into sale_ticket (customer_id, sale_id, id, joined_at, early)
      values ($2, $1, $2, now(), true)`;
    await whileHeld(
      queues.url,
      { taking: [shared, [saleId]], before: [joined, [saleId, newId()]] },
      queues.draw,
    );
    await queues.draw();
    expect((await queues.queueOf(saleId)).list_count).toBe(1);
    expect(await queues.ticketsOf(saleId)).toMatchObject([{ draw_number: 1, number: 1 }]);
  });

  it('begin at the end of the queue when their admission has lapsed without an order', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const [lapsed, valid, paused, bought] = Array.from({ length: 4 }, newId) as string[];
    const all = [lapsed, valid, paused, bought] as string[];
    for (const customerId of all) await queues.join(saleId, 0, customerId);
    await queues.listCloses(saleId);
    await queues.draw();
    const admit = (customerId: string | undefined, agoMinutes: number, more = '') =>
      queues.rows(
        `update sale_ticket set admitted_at = clock_timestamp() - $3 * interval '1 min',
           admitted_paused_ms = 0 ${more} where sale_id = $1 and customer_id = $2`,
        [saleId, customerId, agoMinutes],
      );
    await admit(lapsed, 7);
    await admit(valid, 4);
    await admit(bought, 7, ', order_id = gen_random_uuid()');
    await admit(paused, 7);
    const before = await queues.ticketsOf(saleId);
    const numberOf = (customerId: string | undefined) =>
      before.find((each) => each.customer_id === customerId)?.number;
    await queues.rows('update sale_queue set paused_ms = 180000 where sale_id = $1', [saleId]);
    expect((await queues.join(saleId, 0, paused)).number).toBe(numberOf(paused));
    expect((await queues.join(saleId, 0, lapsed)).number).toBe(numberOf(lapsed));
    await queues.rows('update sale_queue set paused_ms = 0 where sale_id = $1', [saleId]);
    const again = await queues.join(saleId, 1, lapsed);
    expect(again).toMatchObject({ number: 5, admittedAt: null, orderId: null, early: true });
    expect(again.drawNumber).toBe(numberOf(lapsed));
    expect((await queues.join(saleId, 0, valid)).number).toBe(numberOf(valid));
    expect((await queues.join(saleId, 0, bought)).number).toBe(numberOf(bought));
  });

  it('keep an order that was placed in the last moment of their admission', async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    const customerId = newId();
    await queues.join(saleId, 0, customerId);
    await queues.listCloses(saleId);
    await queues.draw();
    const of = [saleId, customerId];
    const where = 'where sale_id = $1 and customer_id = $2';
    await queues.rows(
      `update sale_ticket set admitted_at = now() - interval '6 min', admitted_paused_ms = 0 ${where}`,
      of,
    );
    const orderId = newId();
    const placing = new pg.Client({ connectionString: queues.url });
    await placing.connect();
    await placing.query('begin');
    await placing.query(`update sale_ticket set order_id = $3 ${where}`, [...of, orderId]);
    const joining = queues.join(saleId, 1, customerId);
    await someoneWaits(queues.client);
    await placing.query('commit');
    await placing.end();
    expect(await joining).toMatchObject({ number: 1, orderId });
    expect((await queues.queueOf(saleId)).next_number).toBe(2);
  });

  it('are refused when nobody waits any more, and nothing is written', async () => {
    const [ended, over] = [
      await queues.queue({ startsInMs: hourMs }),
      await queues.queue({ startsInMs: hourMs }),
    ];
    await queues.rows('update sale_queue set ended_at = now() where sale_id = $1', [ended]);
    await queues.rows(`update sale_queue set ends_at = clock_timestamp() where sale_id = $1`, [
      over,
    ]);
    for (const saleId of [ended, over]) {
      await expect(queues.join(saleId)).rejects.toThrow('nobody waits any more');
      expect(await queues.ticketsOf(saleId)).toEqual([]);
    }
  });
});
