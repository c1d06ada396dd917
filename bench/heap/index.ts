import { newId } from '../../subgraphs/shared/ids.js';
import { startExpiry } from '../../subgraphs/warehouse/expiry/expiry.js';
import { createStockFeeds } from '../../subgraphs/warehouse/live/stock-feeds.js';
import { commitReservation, reserveStock } from '../../subgraphs/warehouse/reservation/engine.js';
import { createStockMessages } from '../../subgraphs/warehouse/signals/stock-messages.js';
import { logger, openEngine } from '../engine.js';
import { openEnvironment } from '../environment.js';
import { type Outcome, rounded } from '../report.js';
import { stockUp } from '../stock-up.js';

const minutes = Number(process.env.BENCH_MINUTES ?? 5);
const warmUpSeconds = 60;
const customers = 64;
const unreadFeeds = 50;
const reserveForMs = 20_000;
const growthMaxMb = 1;

/** Measures growth of the engine's heap under load: reservations, payments, expiries, unread feeds. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const environment = await openEnvironment();
  const { engine, timers, events, close } = await openEngine(environment);
  const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs: 500 });
  const feeds = createStockFeeds(engine.orm.em, createStockMessages(events, logger), logger);
  const [key] = await stockUp(environment, 1);
  if (!key) throw new Error('no key');
  let stopped = false;
  let done = 0;
  const customer = async () => {
    while (!stopped) {
      const orderId = newId();
      await reserveStock(engine, { orderId, lines: [{ ...key, quantity: 1 }], reserveForMs });
      if (done % 2 === 0) await commitReservation(engine, { orderId, paymentId: newId() });
      done += 1;
    }
  };
  try {
    for (let n = 0; n < unreadFeeds; n++) await feeds.open({ skus: [key.sku], shopId: null });
    const working = Array.from({ length: customers }, customer);
    await sleep(warmUpSeconds);
    const samples = [heapMb()];
    for (let minute = 1; minute <= minutes; minute++) {
      await sleep(60);
      samples.push(heapMb());
      progress(`minute ${minute}: ${rounded(samples.at(-1) as number, 2)} MB, ${done} orders`);
    }
    stopped = true;
    await Promise.all(working);
    const growth = rounded(slope(samples), 3);
    return {
      results: [{ case: 'heap', orders: done, samplesMb: samples.map((each) => rounded(each, 2)) }],
      checks: [
        {
          name: 'growth of the heap after garbage collection, MB per minute',
          value: growth,
          target: `< ${growthMaxMb}`,
          pass: growth < growthMaxMb,
        },
      ],
    };
  } finally {
    await feeds.stop();
    await expiry.stop();
    await close();
    await environment.close();
  }
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Slope of the regression line (least squares) through samples one minute apart. */
function slope(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  const over = samples.reduce((sum, sample, n) => sum + (n - middle) * (sample - mean), 0);
  return over / samples.reduce((sum, _, n) => sum + (n - middle) ** 2, 0);
}
