import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from '../../cpu.js';
import type { LiveLine } from '../../live-line.js';
import { percentile } from '../../report.js';
import { type Balance, balanceOf } from './books.js';
import { sendCrowd } from './crowd.js';
import type { SaleOptions } from './options.js';
import { planShoppers, type Shopper, shelfOf } from './shoppers.js';
import type { Ending, Stock, Store, Wait } from './store.js';

/** The stock at a time after the doors opened. */
export interface StockSample extends Stock {
  readonly seconds: number;
}

export interface Sale {
  readonly store: string;
  /** from the first arrival until the last shopper left */
  readonly seconds: number;
  readonly endings: ReadonlyMap<Ending, number>;
  /** shoppers who were neither sold anything nor refused */
  readonly failed: number;
  readonly firstError: string;
  readonly expired: number;
  /** of an open loop: how late each shopper was sent */
  readonly lateMs: readonly number[];
  /** requests that waited for a connection of the crowd */
  readonly delayed: number;
  readonly waitsMs: ReadonlyMap<Wait, readonly number[]>;
  /** process → CPU time of the sale */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly stock: readonly StockSample[];
  readonly balance: Balance;
}

const warmUpShoppers = 100;
const sampleEveryMs = 250;
const errorMaxChars = 300;

/** Lets a crowd that nobody counts buy another SKU, until caches are full and hot code is compiled. */
export async function warmUp(store: Store, options: SaleOptions): Promise<void> {
  const plan = planShoppers({ ...options, skus: 1, shoppers: warmUpShoppers });
  // After the shoppers of the sale by number, and the SKU after those of the sale.
  const shoppers = plan.map(({ cart, number, ...shopper }) => ({
    ...shopper,
    number: options.shoppers + number,
    cart: cart.map(({ quantity }) => ({ sku: options.skus, quantity })),
  }));
  const crowd = { rate: undefined, concurrency: options.concurrency };
  await sendCrowd(shoppers, crowd, async (shopper, arrivedMs) => {
    await store.sell(shopper, { arrivedMs, waited: () => {} }).catch(() => {});
  });
}

/** Opens the doors, and reads the books once nothing is left to happen. */
export async function holdSale(store: Store, options: SaleOptions, line: LiveLine): Promise<Sale> {
  const endings = new Map<Ending, number>();
  const waitsMs = new Map<Wait, number[]>();
  let done = 0;
  let failed = 0;
  let firstError = '';
  const visit = async (shopper: Shopper, arrivedMs: number) => {
    const waited = (kind: Wait, sinceMs: number) => {
      const all = waitsMs.get(kind) ?? [];
      all.push(performance.now() - sinceMs);
      waitsMs.set(kind, all);
    };
    try {
      const ending = await store.sell(shopper, { arrivedMs, waited });
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
    } catch (error) {
      failed += 1;
      firstError ||= String(error).slice(0, errorMaxChars);
    }
    done += 1;
  };
  const cpuBefore = readCpuMs(store);
  const delayedBefore = store.delayed();
  const startedMs = performance.now();
  const secondsSince = () => (performance.now() - startedMs) / 1000;
  const stock = watchStock(store, secondsSince, ({ unsold, available }) => {
    const paid = endings.get('paid') ?? 0;
    const p99 = percentile(waitsMs.get('checkout') ?? [], 0.99);
    line.show(
      `${store.name}: ${secondsSince().toFixed(0)} s, ${done} of ${options.shoppers} shoppers done, ` +
        `${paid} paid, ${available} units available, ${unsold} unsold, ` +
        `p99 of checkout ${Number.isNaN(p99) ? '-' : p99.toFixed(0)} ms`,
    );
  });
  const lateMs = await sendCrowd(planShoppers(options), options, visit);
  const seconds = secondsSince();
  const cpuAfter = readCpuMs(store);
  const expired = await store.settle();
  return {
    store: store.name,
    ...{ seconds, endings, failed, firstError, expired, waitsMs, lateMs },
    delayed: store.delayed() - delayedBefore,
    cpuMs: Object.fromEntries(
      Object.entries(cpuAfter).map(([name, ms]) => [name, ms - (cpuBefore[name] ?? 0)]),
    ),
    stock: await stock.stop(),
    balance: balanceOf(shelfOf(options), await store.readBooks()),
  };
}

const readCpuMs = ({ processIds }: Store): Record<string, number> =>
  Object.fromEntries(Object.entries(processIds).map(([name, id]) => [name, cpuMsOf(id)]));

/** Reads the stock until it is stopped; the last sample is taken then. */
function watchStock(store: Store, secondsSince: () => number, onSample: (stock: Stock) => void) {
  const samples: StockSample[] = [];
  let isStopping = false;
  const sample = async () => {
    const stock = await store.readStock();
    samples.push({ ...stock, seconds: secondsSince() });
    onSample(stock);
  };
  const watching = (async () => {
    while (!isStopping) {
      await sample();
      await sleep(sampleEveryMs);
    }
    await sample();
  })();
  watching.catch(() => {}); // `stop` throws it
  return {
    async stop(): Promise<readonly StockSample[]> {
      isStopping = true;
      await watching;
      return samples;
    },
  };
}
