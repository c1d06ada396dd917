import { openBuyers } from '../../dev/seed/buyers.js';
import { seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { openServers } from '../environment.js';
import { type MeasuredCases, measureCases, medianOf, resultsOf } from '../load.js';
import { type Check, minutesIn, type Outcome, rounded } from '../report.js';
import { createGraphQLClient } from '../router/operations.js';
import { startSystemProcesses } from '../system-processes.js';
import { verifyAtRest } from '../verify-at-rest.js';
import { measureYardstick, type Yardstick } from '../yardstick.js';
import { shopper } from './shopper.js';
import { vendor } from './vendor.js';
import { verifyBeside } from './verify-beside.js';

const regular = 'one offer';
const inSale = 'one offer, in a sale';
const saleShareMin = 0.95;
const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const variants = 20_000;
/** Each may have three open orders, and none of a run is paid or expires, but where a case pays. */
const customersCount = 30_000;
const defaultLimits = { OPEN_ORDERS_MAX: '3', OPEN_UNITS_PER_OFFER_MAX: '20' };
const clients = 64;
const warmUpCheckouts = 1500;
const plenty = 1_000_000;
const saleUnits = 1000;
const saleCheckouts = 2000;
// What the rate of the sale is at least, relative to orders sold by SQL alone.
const shareOfYardstickMin = 1;

/**
 * Measures checkouts through the router, and a sale of 1,000 units to 2,000 buyers. With `--minutes N`: sends all
 * kinds of checkouts for so long instead, while `verify` checks what has changed.
 */
export async function run(
  progress: (line: string) => void,
  args: readonly string[],
): Promise<Outcome> {
  const minutes = minutesIn(args, 1);
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  await seedStore(databases, variants);
  // In a long run each customer stands for many.
  const system = await startSystemProcesses(databases, redis.url, minutes ? {} : defaultLimits);
  const router = createGraphQLClient(`${system.routerUrl}/graphql`);
  try {
    const sessions = await withTokens(
      await seedSessions(databases.user),
      system.secrets.signingKeys,
    );
    const customers = await openBuyers({ databases, secrets: system.secrets }, customersCount);
    progress(`${customers.length} customers, whose limits ${minutes ? 'are raised' : 'are on'}`);
    const vera = await vendor(router, sessions);
    await vera.stockUp(plenty);
    const shop = shopper(router, customers);
    const [hot, soldInSale] = vera.offers as [string, string];
    const saleId = await vera.openSale(soldInSale, plenty / 2);
    const all = {
      [regular]: () => shop.order([hot]),
      'many offers, one line': () => shop.order([shop.oneOf(vera.offers)]),
      'many offers, three lines': () => shop.order(shop.someOf(vera.offers, 3)),
      [inSale]: () => shop.order([soldInSale], { saleId }),
      'one offer, paid at once': () => shop.order([hot], { paymentMethod: 'Credit Card' }),
    };
    if (minutes) {
      const { result, checks } = await verifyBeside(
        databases,
        minutes,
        clients,
        Object.values(all),
      );
      return { results: [result], checks: [...checks, await verifyAtRest(databases)] };
    }
    const cases = chosen(all);
    const processIds = { ...system.processIds, postgres: postgres.processId };
    const warmUpRequests = warmUpCheckouts;
    const options = { rounds, seconds, warmUpRequests, processIds, clients, progress };
    const measured = await measureCases(cases, options);
    await vera.setAvailable(hot, saleUnits);
    progress('sale');
    const sale = await shop.rush(hot, saleCheckouts, clients);
    progress('yardstick: the same orders sold by SQL alone');
    const yardstick = await measureYardstick({
      ...{ url: postgres.url, processId: postgres.processId, connections: clients },
      carts: [[{ sku: 0, quantity: 1 }]],
    });
    const checks = [
      ...checksOf(sale, yardstick),
      ...(regular in cases && inSale in cases ? [saleCheckOf(measured)] : []),
      await verifyAtRest(databases),
    ];
    return { results: [...resultsOf(measured), sale], checks };
  } finally {
    await router.close();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

/** A checkout in a sale, beside a regular one of the same run. */
function saleCheckOf(measured: MeasuredCases): Check {
  const rateOf = (name: string) => medianOf(measured, name, ({ rate }) => rate);
  const share = rateOf(inSale) / rateOf(regular);
  return {
    name: 'checkouts per second of an offer in a sale, relative to a regular one',
    value: rounded(share, 2),
    target: `≥ ${saleShareMin}`,
    pass: share >= saleShareMin,
  };
}

/** Those that `BENCH_CASES` names, separated by semicolons; by default all. */
function chosen<T>(all: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  const names = process.env.BENCH_CASES?.split(';') ?? Object.keys(all);
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}

interface Sale {
  readonly sold: number;
  readonly outOfStock: number;
  readonly ratePerSecond: number;
}

function checksOf({ sold, outOfStock, ratePerSecond }: Sale, yardstick: Yardstick): Check[] {
  const share = ratePerSecond / yardstick.ordersPerSecond;
  return [
    { name: 'units sold', value: sold, target: `${saleUnits}`, pass: sold === saleUnits },
    {
      name: 'InsufficientStock results',
      value: outOfStock,
      target: `${saleCheckouts - saleUnits}`,
      pass: outOfStock === saleCheckouts - saleUnits,
    },
    {
      name: 'checkouts per second in the sale, relative to orders sold by SQL alone',
      value: rounded(share, 2),
      target: `≥ ${shareOfYardstickMin}`,
      pass: share >= shareOfYardstickMin,
    },
  ];
}
