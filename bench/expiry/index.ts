import { v7 as uuidv7 } from 'uuid';
import { startExpiry } from '../../subgraphs/warehouse/stock/expiry.js';
import { reserveStock } from '../../subgraphs/warehouse/stock/reserve-stock.js';
import { openEngine } from '../engine.js';
import { type BenchEnvironment, openEnvironment } from '../environment.js';
import { type Outcome, percentile, rounded } from '../report.js';
import { stockUp } from '../stock-up.js';

const holds = 10_000;
const otherKeys = 100_000;
/** The holds are due one after the other over this time, as they are made in a sale. */
const dueOverMs = 10_000;
const firstDueAfterMs = 15_000;
const waitMaxMs = 60_000;

/** How late holds are released, among many keys that are not due; the sweeper is switched off. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const environment = await openEnvironment();
  const { engine, timers, events, close } = await openEngine(environment);
  const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs: 1_000_000_000 });
  try {
    for (let at = 0; at < otherKeys; at += 10_000) {
      const keys = Array.from({ length: 10_000 }, () => [
        'set',
        `hold:${uuidv7()}`,
        '',
        'PX',
        3_600_000,
      ]);
      await timers.pipeline(keys).exec();
    }
    progress(`${otherKeys} keys that are not due`);
    const [key] = await stockUp(environment, 1);
    const startedMs = Date.now();
    const outcomes = Array.from({ length: holds }, async (_, n) => {
      const dueMs = startedMs + firstDueAfterMs + (n * dueOverMs) / holds;
      await new Promise((resolve) => setTimeout(resolve, (n * firstDueAfterMs) / holds / 2));
      const lines = [{ ...(key as { shopId: string; sku: string }), quantity: 1 }];
      const holdForMs = Math.max(1, Math.round(dueMs - Date.now()));
      return reserveStock(engine, { orderId: uuidv7(), lines, holdForMs });
    });
    await Promise.all(outcomes);
    progress(`${holds} holds, due within ${dueOverMs / 1000} s`);
    const lagsMs = await lagsOnceExpired(environment);
    const broken = await environment.brokenInvariants();
    const p50Ms = rounded(percentile(lagsMs, 0.5));
    const p99Ms = rounded(percentile(lagsMs, 0.99));
    const left = holds - lagsMs.length;
    return {
      results: [
        {
          case: 'expiry',
          holds,
          otherKeys,
          p50Ms,
          p99Ms,
          maxMs: rounded(Math.max(...lagsMs)),
          left,
        },
      ],
      checks: [
        {
          name: 'lag behind expiresAt, median, ms',
          value: p50Ms,
          target: '< 100',
          pass: p50Ms < 100,
        },
        { name: 'lag, slowest hundredth, ms', value: p99Ms, target: '< 1000', pass: p99Ms < 1000 },
        { name: 'holds that were not released', value: left, target: '0', pass: left === 0 },
        {
          name: 'invariants',
          value: broken.join('; ') || 'all hold',
          target: 'all hold',
          pass: broken.length === 0,
        },
      ],
    };
  } finally {
    await expiry.stop();
    await close();
    await environment.close();
  }
}

/** How long after its time each hold was ended, in milliseconds, by PostgreSQL's clock. */
async function lagsOnceExpired({ client }: BenchEnvironment): Promise<number[]> {
  const deadlineMs = Date.now() + waitMaxMs;
  for (;;) {
    const held = await client.query(`select 1 from reservation where state = 'HELD' limit 1`);
    if (held.rowCount === 0 || Date.now() > deadlineMs) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  // The lines of the ledger carry the moment of the release.
  const { rows } = await client.query<{ lag: number }>(
    `select (extract(epoch from m.created_at - r.expires_at) * 1000)::float as lag
     from reservation r join stock_movement m on m.reference = r.order_id::text and m.type = 'RELEASE'
     where r.state = 'EXPIRED'`,
  );
  return rows.map(({ lag }) => lag);
}
