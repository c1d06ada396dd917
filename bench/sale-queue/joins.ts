import { cpuMsOf } from '../cpu.js';
import { rounded } from '../report.js';
import { figuresOfJoins, joinAtRate } from './join-client.js';
import { bringForward, openQueue, untilDrawn } from './open-queue.js';
import { equalCheck, type Part, type Place } from './place.js';

const customers = Number(process.env.BENCH_JOINS ?? 10_000);
const withinSeconds = 10;
const warmUpCustomers = 1500;
const warmUpPerSecond = 300;
const units = 1000;

/** 10,000 customers join a queue within 10 s: each has one ticket, and one number after the draw. */
export const measureJoins: Part = async (place) => {
  const { system, postgresId, progress } = place;
  const vera = await place.vendor();
  const [first, second] = vera.unlimitedOffers as [string, string];
  const tokens = (await place.buyers(customers)).map(({ token }) => token);
  const before = await openQueue(place, vera, first, units);
  const { saleId } = await openQueue(place, vera, second, units);
  const early = tokens.slice(0, warmUpCustomers);
  await joinAtRate(system.routerUrl, before.saleId, early, warmUpPerSecond);
  progress('warm-up done');
  const parts = { ...system.processIds, postgres: postgresId };
  const cpuBefore = Object.entries(parts).map(([name, id]) => [name, id, cpuMsOf(id)] as const);
  const joins = await joinAtRate(system.routerUrl, saleId, tokens, customers / withinSeconds);
  const cpuMs = cpuBefore.map(([name, id, ms]) => [name, (cpuMsOf(id) - ms) / customers] as const);
  progress(`${joins.ticketIds.length} joined in ${rounded(joins.seconds)} s`);
  await bringForward(place, saleId);
  await untilDrawn(place, saleId);
  const found = await readTickets(place, saleId, joins.ticketIds);
  await Promise.all([before.saleId, saleId].map((id) => vera.cancelSale(id)));
  const ofEach = cpuMs.filter(([, ms]) => ms >= 0.005).map(([name, ms]) => [name, rounded(ms, 2)]);
  return {
    results: [
      {
        case: `${customers} joins, offered in ${withinSeconds} s`,
        ...figuresOfJoins(joins),
        'CPU ms a join': rounded(
          cpuMs.reduce((sum, [, ms]) => sum + ms, 0),
          2,
        ),
        ...Object.fromEntries(ofEach),
      },
    ],
    checks: [
      equalCheck('joins: tickets, one for each customer', found.tickets, customers),
      equalCheck('joins: tickets that were answered, in the list', found.answered, customers),
      equalCheck('joins: numbers of the draw, from 1 without a gap', found.numbers, customers),
    ],
  };
};

/** Customers are the key of tickets, so there are as many customers as tickets. */
async function readTickets({ order }: Place, saleId: string, answered: readonly string[]) {
  const { rows } = await order.query<{ tickets: number; answered: number; numbers: number }>(
    `select count(*)::int as tickets, (count(*) filter (where id = any($2)))::int as answered,
       (count(distinct number) filter (
         where number = draw_number and number between 1 and $3))::int as numbers
     from sale_ticket where sale_id = $1`,
    [saleId, answered, customers],
  );
  return rows[0] as { tickets: number; answered: number; numbers: number };
}
