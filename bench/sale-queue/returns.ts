import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, rounded } from '../report.js';
import { createCustomers } from './customers.js';
import { insertTickets, openQueue, startSale, untilRow } from './open-queue.js';
import { belowCheck, equalCheck, type Part } from './place.js';

const units = 20;
const returns = Number(process.env.BENCH_RETURNS ?? 100);
const lateMaxMs = 1000;
/** More than the time between two turns of the admission, so that units come back at any time of a turn. */
const pauseMaxMs = 400;

/** All units of a sale are held. One after the other comes back, and the next customer is admitted. */
export const measureReturns: Part = async (place) => {
  const { order, warehouse, progress, router } = place;
  const vera = await place.vendor();
  const queue = await openQueue(place, vera, vera.unlimitedOffers[3] as string, units);
  const { saleId } = queue;
  const buyers = await place.buyers(units + returns);
  const customers = createCustomers(router, queue);
  await insertTickets(
    order,
    saleId,
    buyers.map(({ id }) => id),
  );
  await startSale(place, saleId);
  const { rows } = await order.query<{ id: string }>(
    'select customer_id as id from sale_ticket where sale_id = $1 order by number',
    [saleId],
  );
  const inTurn = rows.map(({ id }) => buyers.find((buyer) => buyer.id === id));
  const admitted = `select admitted_at from sale_ticket
    where sale_id = $1 and customer_id = $2 and admitted_at is not null`;
  const orderIds: string[] = [];
  async function orderWhenAdmitted(n: number): Promise<void> {
    const buyer = inTurn[n] as (typeof buyers)[number];
    await untilRow(order, admitted, [saleId, buyer.id]);
    const { outcome, orderId } = await customers.order(buyer);
    if (!orderId) throw new Error(`checkout: ${outcome}`);
    orderIds.push(orderId);
  }
  for (let n = 0; n < units; n++) await orderWhenAdmitted(n);
  progress('all units are held');
  for (let n = 0; n < returns; n++) {
    await sleep(Math.random() * pauseMaxMs);
    await customers.giveUp(inTurn[n] as (typeof buyers)[number], orderIds[n] as string);
    await orderWhenAdmitted(units + n);
  }
  const freeAt = await warehouse.query<{ id: string; at: Date }>(
    'select order_id as id, done_at as at from reservation where order_id = any($1) and done_at is not null',
    [orderIds.slice(0, returns)],
  );
  const freeAtOf = new Map(freeAt.rows.map(({ id, at }) => [id, at.getTime()]));
  const admissions = await order.query<{ at: Date }>(
    'select admitted_at as at from sale_ticket where sale_id = $1 and number > $2 order by number',
    [saleId, units],
  );
  const lateMs = admissions.rows.map(
    ({ at }, n) => at.getTime() - (freeAtOf.get(orderIds[n] as string) as number),
  );
  await vera.cancelSale(saleId);
  const p99Ms = rounded(percentile(lateMs, 0.99));
  return {
    results: [
      {
        case: `${lateMs.length} units that come back`,
        'admission after p50 ms': rounded(percentile(lateMs, 0.5)),
        'admission after p99 ms': p99Ms,
        'admission after most ms': Math.max(...lateMs),
      },
    ],
    checks: [
      equalCheck('returns: admissions after a unit came back', lateMs.length, returns),
      belowCheck(
        'returns: from a unit coming back to the next admission, p99 in ms',
        p99Ms,
        lateMaxMs,
      ),
    ],
  };
};
