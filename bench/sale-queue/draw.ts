import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from '../cpu.js';
import { rounded } from '../report.js';
import { figuresOfJoins, joinAtRate } from './join-client.js';
import { bringForward, insertStrangers, openQueue, untilDrawn } from './open-queue.js';
import { equalCheck, type Part, type Place } from './place.js';

const tickets = Number(process.env.BENCH_TICKETS ?? 200_000);
const joinersPerSecond = 40;
/** Longer than from the end of the list to the end of the draw. */
const joinersSeconds = Number(process.env.BENCH_SECONDS ?? 20);
const pollMs = 20;
const units = 1000;

/** The draw of a long list, while customers go on to join. */
export const measureDraw: Part = async (place) => {
  const { order, progress, system } = place;
  const vera = await place.vendor();
  const { saleId } = await openQueue(place, vera, vera.unlimitedOffers[6] as string, units);
  const buyers = await place.buyers(joinersPerSecond * joinersSeconds);
  await insertStrangers(order, saleId, tickets);
  progress(`${tickets} tickets inserted`);
  await bringForward(place, saleId);
  const watching = watchDraw(place);
  const tokens = buyers.map(({ token }) => token);
  const joining = joinAtRate(system.routerUrl, saleId, tokens, joinersPerSecond);
  await untilDrawn(place, saleId);
  const { seconds, ...memory } = await watching.stop();
  progress(`drawn in ${seconds} s`);
  const joins = await joining;
  const { rows } = await order.query<{ all: number; numbered: number; answered: number }>(
    `select count(*)::int as all, count(distinct number)::int as numbered,
       (count(*) filter (where id = any($2) and number is not null))::int as answered
     from sale_ticket where sale_id = $1`,
    [saleId, joins.ticketIds],
  );
  const found = rows[0] as { all: number; numbered: number; answered: number };
  await vera.cancelSale(saleId);
  const closing = await readClosing(place, saleId);
  return {
    results: [
      { case: `draw of ${closing.listed} tickets`, 'draw s': seconds, ...memory, ...closing.times },
      { case: 'joins meanwhile', ...figuresOfJoins(joins) },
    ],
    checks: [
      equalCheck('draw: tickets with a number of their own', found.numbered, found.all),
      equalCheck('draw: joins meanwhile, with a number', found.answered, buyers.length),
    ],
  };
};

/** How late the list was closed and drawn, after the time at which it had to close. */
async function readClosing({ order }: Place, saleId: string) {
  const { rows } = await order.query<{ listed: number; closed: number; drawn: number }>(
    `select list_count as listed,
       extract(epoch from closed_at - (starts_at - interval '30 s'))::float8 as closed,
       extract(epoch from drawn_at - (starts_at - interval '30 s'))::float8 as drawn
     from sale_queue where sale_id = $1`,
    [saleId],
  );
  const { listed, closed, drawn } = rows[0] as { listed: number; closed: number; drawn: number };
  const times = { 'closed after s': rounded(closed, 2), 'drawn after s': rounded(drawn, 2) };
  return { listed, times };
}

/** Watches the connection of the draw: its transaction, and the memory of its process and of order. */
function watchDraw({ admin, system }: Place) {
  let isOver = false;
  const most = { seconds: 0, cpuMs: 0, backendMb: 0, orderMb: 0 };
  const tempBytes = async (): Promise<number> => {
    const { rows } = await admin.query(
      'select sum(temp_bytes)::float8 as bytes from pg_stat_database',
    );
    return rows[0].bytes;
  };
  const orderMb = () => memoryMb(system.processIds.order, 'VmRSS');
  const watching = (async () => {
    const [orderBeforeMb, tempBefore] = [orderMb(), await tempBytes()];
    while (!isOver) {
      const { rows } = await admin.query<{ pid: number; seconds: number | null }>(
        `select pid, extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
         from pg_stat_activity where application_name = 'order-draw'`,
      );
      for (const { pid, seconds } of rows) {
        most.seconds = Math.max(most.seconds, seconds ?? 0);
        most.cpuMs = Math.max(most.cpuMs, cpuMsOf(pid));
        most.backendMb = Math.max(most.backendMb, memoryMb(pid, 'RssAnon'));
      }
      most.orderMb = Math.max(most.orderMb, orderMb() - orderBeforeMb);
      await sleep(pollMs);
    }
    await sleep(1000); // the statistics of a session are written by its end, and a second later at most
    return (await tempBytes()) - tempBefore;
  })();
  return {
    async stop() {
      isOver = true;
      const bytes = await watching;
      return {
        seconds: rounded(most.seconds, 2),
        'CPU s': rounded(most.cpuMs / 1000, 2),
        'PostgreSQL process MB': Math.round(most.backendMb),
        'temporary files MB': Math.round(bytes / 2 ** 20),
        'order process, more MB': Math.round(most.orderMb),
      };
    },
  };
}

/** @returns 0 for a process that has ended, and without /proc */
function memoryMb(processId: number, figure: 'VmRSS' | 'RssAnon'): number {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    return Number(new RegExp(`${figure}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
