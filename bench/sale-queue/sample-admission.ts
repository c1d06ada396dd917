import { setTimeout as sleep } from 'node:timers/promises';
import { openAdmissionsMax } from '../../subgraphs/order/sale-queue/admission/admit.js';
import type { Place } from './place.js';

const everyMs = 20;
/**
 * A turn, every 250 ms, decides by the units that were free when it read them; an order that is held until it admits
 * takes one of them.
 */
const turnMs = 500;

interface Sample {
  readonly atMs: number;
  readonly serving: number;
  readonly waiting: number;
  readonly admitted: number;
  /** admissions that are valid and have no held order */
  readonly open: number;
  readonly free: number;
  readonly sold: number;
  readonly ended: boolean;
}

const queueSql = `
  select q.serving_number as serving, q.next_number - 1 - q.serving_number as waiting,
    q.ended_at is not null as ended, t.admitted, t.open
  from sale_queue q cross join lateral (
    select count(*)::int as admitted, (count(*) filter (where t.left_at is null and o.number is null
      and t.admitted_at + q.admission_minutes * interval '1 min' > now()))::int as open
    from sale_ticket t left join customer_order o on o.customer_id = t.customer_id and o.id = t.order_id
    where t.sale_id = q.sale_id and t.admitted_at is not null) t
  where q.sale_id = $1`;
const unitsSql = `select allocated - held - sold as free, sold from sale_item where sale_id = $1`;

const none: Sample = {
  ...{ atMs: 0, serving: 0, waiting: 0, admitted: 0, open: 0, free: 0, sold: 0, ended: false },
};

/** Reads admissions and units of a sale of one offer 50 times a second, until it is stopped. */
export function sampleAdmission({ order, warehouse }: Place, saleId: string) {
  const samples: Sample[] = [];
  let isStopped = false;
  const last = () => samples.at(-1) ?? none;
  const sampling = (async () => {
    while (!isStopped) {
      const [queue, units] = await Promise.all([
        order.query({ name: 'queue', text: queueSql, values: [saleId] }),
        warehouse.query({ name: 'units', text: unitsSql, values: [saleId] }),
      ]);
      samples.push({ atMs: performance.now(), ...queue.rows[0], ...units.rows[0] });
      await sleep(everyMs);
    }
  })();
  return {
    last,
    async stop() {
      isStopped = true;
      await sampling;
      const delaysMs = delaysOf(samples);
      return { all: samples.length, sold: last().sold, most: mostAbove(samples), delaysMs };
    },
  };
}

/** By how many customers an admission exceeded what the free units of its turn allow, at most; 0 if by none. */
function mostAbove(samples: readonly Sample[]): number {
  let most = 0;
  for (const [n, { atMs, admitted, open }] of samples.entries()) {
    if (admitted === (samples[n - 1]?.admitted ?? 0)) continue;
    let free = 0;
    for (let before = n; before >= 0; before--) {
      const sample = samples[before] as Sample;
      free = Math.max(free, sample.free);
      if (sample.atMs < atMs - turnMs) break;
    }
    most = Math.max(most, open - openAdmissionsMax(free));
  }
  return most;
}

/** From each time at which there was room for a customer who waits until the next admission, in ms. */
function delaysOf(samples: readonly Sample[]): number[] {
  const delaysMs: number[] = [];
  let sinceMs: number | null = null;
  let before = 0;
  for (const { atMs, admitted, open, free, waiting, ended } of samples) {
    if (admitted > before && sinceMs !== null) {
      delaysMs.push(atMs - sinceMs);
      sinceMs = null;
    }
    before = admitted;
    const hasRoom = before > 0 && waiting > 0 && !ended && openAdmissionsMax(free) > open;
    sinceMs = hasRoom ? (sinceMs ?? atMs) : null;
  }
  return delaysMs;
}
