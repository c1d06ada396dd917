import pg from 'pg';
import { openBuyers } from '../dev/seed/buyers.js';
import { checkDraw, drawFile } from '../ops/verify-draw/check-draw.js';
import { openShop, type Person, registerPerson } from './harness/people.js';
import { type ProcessSystem, startProcessSystem } from './harness/process-system.js';
import { retryUntil } from './harness/retry.js';
import { eventually } from './harness/wait.js';
import { watchQueue } from './harness/watched-queue.js';
import { atTime, letListClose, openSaleEvent } from './sale-events/open-sale-event.js';

/** Longer than processes take to start on a busy machine. */
const restartMaxMs = 120_000;

interface Join {
  readonly askedMs: number;
  readonly answeredMs: number;
}
interface TicketRow {
  readonly customer_id: string;
  readonly early: boolean;
  readonly number: number;
  readonly draw_number: number | null;
}

/** @param joins by number. @returns those of which one with a higher number was answered before they were asked for */
function outOfTurn(joins: readonly Join[]): Join[] {
  let answeredMs = Number.POSITIVE_INFINITY;
  return joins.toReversed().filter((join) => {
    const isWrong = answeredMs < join.askedMs;
    answeredMs = Math.min(answeredMs, join.answeredMs);
    return isWrong;
  });
}

const points = [
  'list of a queue closed, not committed',
  'list of a queue closed, not drawn',
  'queue drawn, not committed',
  'queue drawn',
];

describe('the queue of a sale whose processes are killed', () => {
  let system: ProcessSystem;
  let vendor: Person;
  let beside: ProcessSystem['graphql'];
  beforeAll(async () => {
    system = await startProcessSystem();
    beside = await system.startOrderBeside();
    vendor = await registerPerson(system, 'VENDOR');
  }, 240_000);
  afterAll(() => system.stop(), 60_000);

  const rowsOf = async <T extends object>(text: string, saleId: string): Promise<T[]> => {
    const client = new pg.Client({ connectionString: system.databases.order });
    await client.connect();
    return (await client.query<T>(text, [saleId]).finally(() => client.end())).rows;
  };
  async function openQueued() {
    const { shopId, offerId } = await openShop(system, vendor, [10]);
    const lines = [{ offerId, price: '5.00', allocation: 5 }];
    const terms = { startsIn: 3600, lasts: 600, lines, admission: 'QUEUED' as const };
    return openSaleEvent(system, vendor, shopId, terms);
  }
  /** When an order process has died at its fail point, all others but the second of it are killed, too. */
  async function killOthersWithOrder() {
    const startOrder = await system.goneOrder();
    await system.redis.flush();
    const others = ['user', 'product', 'shop', 'warehouse', 'router'] as const;
    await Promise.all(others.map((name) => system.kill(name)));
    // One after the other: a busy machine starts all at once in more than the time that each has.
    await startOrder();
    for (const name of others) await system.start(name);
  }
  const query = 'mutation ($id: UUID!) { it: joinSale(saleId: $id) { __typename } }';

  it.each(points)(
    'is closed and drawn by the one that is left, with each ticket once, after: %s',
    async (point) => {
      const sale = await openQueued();
      const watched = await watchQueue(system.databases.order, sale.id);
      const buyers = await openBuyers(system, 400);
      const ways = [system.graphql, beside];
      const joins = new Map<string, Join>();
      const joinAll = async (part: readonly Person[]) => {
        for (const [n, { id, token }] of part.entries()) {
          const askedMs = performance.now();
          const send = () => (ways[n % 2] as typeof beside)(query, { id: sale.id }, token);
          const reply = await retryUntil(send, Date.now() + restartMaxMs);
          expect(reply?.errors).toBeUndefined();
          expect(reply?.data.it.__typename).toBe('SaleTicket');
          joins.set(id, { askedMs, answeredMs: performance.now() });
        }
      };
      const parts = Array.from({ length: 8 }, (_, n) => buyers.filter((__, at) => at % 8 === n));
      await Promise.all(parts.map((part) => joinAll(part.slice(0, 25))));
      system.arm('order', point);
      await system.redis.flush();
      const startsAt = await letListClose(system.databases.shop, sale.id);
      await atTime(startsAt, -30_400);
      const others = Promise.all(parts.map((part) => joinAll(part.slice(25))));
      await Promise.all([others, killOthersWithOrder()]);
      const drawn = await eventually(
        () =>
          rowsOf<{ list_count: number; next_number: number }>(
            'select * from sale_queue where sale_id = $1 and drawn_at is not null',
            sale.id,
          ),
        (rows) => rows.length > 0,
        restartMaxMs,
      );
      expect(await watched.end()).toEqual([]);
      const tickets = await rowsOf<TicketRow>(
        `select customer_id, early, number, draw_number from sale_ticket
         where sale_id = $1 order by number`,
        sale.id,
      );
      expect(tickets.map(({ number }) => number)).toEqual(buyers.map((_, n) => n + 1));
      const early = tickets.filter((ticket) => ticket.early);
      expect(early.length).toBe(drawn[0]?.list_count);
      expect(early.map(({ draw_number }) => draw_number)).toEqual(early.map((_, n) => n + 1));
      const late = tickets.filter((ticket) => !ticket.early);
      expect(outOfTurn(late.map(({ customer_id }) => joins.get(customer_id) as Join))).toEqual([]);
      const { origin } = new URL(system.url);
      const file = await (await fetch(`${origin}/sales/${sale.id}/draw.json`)).json();
      expect(await checkDraw(drawFile.parse(file), { chain: null, withoutBeacon: true })).toEqual(
        [],
      );
    },
    300_000,
  );
});
