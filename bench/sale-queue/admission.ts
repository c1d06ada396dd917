import { setTimeout as sleep } from 'node:timers/promises';
import type { Buyer } from '../../dev/seed/buyers.js';
import { chance } from '../../dev/seed/chance.js';
import { percentile, rounded } from '../report.js';
import { createCustomers } from './customers.js';
import { insertTickets, openQueue, startSale } from './open-queue.js';
import { belowCheck, equalCheck, type Part } from './place.js';
import { sampleAdmission } from './sample-admission.js';

const units = Number(process.env.BENCH_UNITS ?? 500);
const tickets = units * 4;
const longestSeconds = 280;
const readEveryMs = 50;
const repeatAfterMs = 2000;
/** The shortest that a sale may have. */
const shortest = { admissionMinutes: 1, holdMinutes: 1 };

/**
 * What a customer does when called. A third never orders: a third of these let their admission lapse, and the others
 * leave the queue.
 */
type Intention = 'nothing' | 'leave' | 'let expire' | 'cancel' | 'pay';

function intentionOf(n: number): Intention {
  if (n % 3 === 0) return n % 9 === 0 ? 'nothing' : 'leave';
  const drawn = chance(100, 'intention', n);
  if (drawn < 2) return 'let expire';
  return drawn < 4 ? 'cancel' : 'pay';
}

const thinkingMs = () => 1000 + Math.random() * 4000;

/** A sale of 500 units with 2,000 tickets, of whom a third never orders. */
export const measureAdmission: Part = async (place) => {
  const { order, progress, router } = place;
  const vera = await place.vendor();
  const offerId = vera.unlimitedOffers[2] as string;
  const queue = await openQueue(place, vera, offerId, units, shortest);
  const { saleId } = queue;
  const buyers = await place.buyers(tickets);
  await insertTickets(
    order,
    saleId,
    buyers.map(({ id }) => id),
  );
  const customers = createCustomers(router, queue);
  const samples = sampleAdmission(place, saleId);
  await startSale(place, saleId);
  const startedMs = performance.now();
  const { rows } = await order.query<{ id: string; number: number }>(
    'select customer_id as id, number from sale_ticket where sale_id = $1 order by number',
    [saleId],
  );
  const byId = new Map(buyers.map((buyer) => [buyer.id, buyer]));
  const intentions = new Map<Intention, number>();
  const outcomes = new Map<string, number>();
  const isOver = () => samples.last().ended;

  async function visit(buyer: Buyer, intention: Intention): Promise<void> {
    await sleep(thinkingMs());
    if (intention === 'nothing') return;
    if (intention === 'leave') return customers.leave(buyer);
    while (!isOver()) {
      const { outcome, orderId } = await customers.order(buyer);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (orderId) {
        if (intention === 'let expire') return;
        await sleep(thinkingMs());
        if (intention === 'cancel') return customers.giveUp(buyer, orderId);
        return customers.pay(buyer, orderId);
      }
      // All units are held: some may come back. The admission may lapse meanwhile.
      if (outcome === 'NotAdmitted') return;
      await sleep(repeatAfterMs);
    }
  }

  const visits: Promise<void>[] = [];
  const waiting = rows.values();
  let called = 0;
  while (!isOver() && performance.now() - startedMs < longestSeconds * 1000) {
    for (; called < samples.last().serving; called++) {
      const { id } = waiting.next().value as { id: string };
      const intention = intentionOf(called);
      intentions.set(intention, (intentions.get(intention) ?? 0) + 1);
      visits.push(visit(byId.get(id) as Buyer, intention));
    }
    await sleep(readEveryMs);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await Promise.all(visits);
  const { all, sold, most, delaysMs } = await samples.stop();
  progress(`called: ${JSON.stringify([...intentions])}; orders: ${JSON.stringify([...outcomes])}`);
  return {
    results: [
      {
        case: `${units} units, ${tickets} tickets`,
        sold,
        called,
        'seconds until sold out': rounded(seconds),
        samples: all,
        'admitted above the bound, most': most,
        'times that there was room': delaysMs.length,
        'admission after p50 ms': rounded(percentile(delaysMs, 0.5)),
        'admission after p99 ms': rounded(percentile(delaysMs, 0.99)),
      },
    ],
    checks: [
      equalCheck('admission: units sold', sold, units),
      belowCheck('admission: customers admitted above k × free units', most, 1),
      belowCheck(
        'admission: from room for a customer to the next admission, p99 in ms',
        rounded(percentile(delaysMs, 0.99)),
        1000,
      ),
    ],
  };
};
