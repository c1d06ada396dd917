import { type CaseResult, type Check, percentile, rounded } from '../report.js';
import type { Yardstick } from '../yardstick.js';
import type { Sale } from './sale/hold-sale.js';
import type { SaleOptions } from './sale/options.js';
import type { Ending, Wait } from './sale/store.js';

/** What the rate of shoppers is at least, relative to the orders of the yardstick, if all of them pay. */
const shareOfYardstickMin = 0.1;
/** What PostgreSQL's CPU time of a shopper is at most, relative to an order of the yardstick. */
const timesYardstickCpuMax = 20;
/** How late a shopper of an open loop is sent at most, in ms: beyond it the crowd is not the one that was asked for. */
const lateMsMax = 100;
/** How many times faster than the peer, and how many times cheaper. */
const timesPeerMin = 10;

const endings: readonly Ending[] = [
  ...(['paid', 'left unpaid', 'declined', 'cancelled'] as const),
  ...(['expired before payment', 'refused'] as const),
];
const waits: readonly Wait[] = ['checkout', 'refusal', 'payment'];
const shares = { p50: 0.5, p95: 0.95, p99: 0.99 };

const paidIn = ({ endings: counts }: Sale) => counts.get('paid') ?? 0;
// One that was paid and cannot be delivered is no sale.
const ordersPerSecond = ({ balance, seconds }: Sale) => balance.ordersWithGoods / seconds;
const cpuMsOf = ({ cpuMs }: Sale) => Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);
const cpuOfOrder = (sale: Sale) => cpuMsOf(sale) / sale.balance.ordersWithGoods;
const servedIn = (sale: Sale) => [...sale.endings.values()].reduce((sum, count) => sum + count, 0);
const shoppersPerSecond = (sale: Sale) => servedIn(sale) / sale.seconds;

/** A row for each figure, with a column for each sale. */
export function rowsOf(sales: readonly Sale[], yardstick: Yardstick): CaseResult[] {
  /** without a value where a store has none */
  const row = (name: string, figure: (sale: Sale) => number, digits = 0): CaseResult => ({
    case: name,
    ...Object.fromEntries(
      sales
        .map((sale) => [sale.store, rounded(figure(sale), digits)] as const)
        .filter(([, value]) => !Number.isNaN(value)),
    ),
  });
  const processes = [...new Set(sales.flatMap(({ cpuMs }) => Object.keys(cpuMs)))];
  return [
    row('seconds', ({ seconds }) => seconds, 1),
    row('shoppers served', servedIn),
    ...endings.map((ending) =>
      row(`  ${ending}`, ({ endings: counts }) => counts.get(ending) ?? 0),
    ),
    row('shoppers failed', ({ failed }) => failed),
    row('unpaid orders that expired', ({ expired }) => expired),
    row('orders paid a second', (sale) => paidIn(sale) / sale.seconds, 1),
    row('orders with goods a second', ordersPerSecond, 1),
    row('shoppers served a second', shoppersPerSecond, 1),
    ...waits.flatMap((wait) =>
      Object.entries(shares).map(([name, share]) =>
        row(`${wait} ${name} ms`, ({ waitsMs }) => percentile(waitsMs.get(wait) ?? [], share), 1),
      ),
    ),
    row('shoppers sent late p99 ms', ({ lateMs }) => percentile(lateMs, shares.p99), 1),
    row('requests that waited for a connection of the crowd', ({ delayed }) => delayed),
    row('CPU ms of an order with goods', cpuOfOrder, 1),
    ...processes.map((name) =>
      row(
        `  ${name}`,
        ({ cpuMs, balance }) => (cpuMs[name] ?? Number.NaN) / balance.ordersWithGoods,
        2,
      ),
    ),
    row('units sold', ({ balance }) => balance.unitsSold),
    row('units oversold', ({ balance }) => balance.unitsOversold),
    row('customers charged without goods', ({ balance }) => balance.chargedWithoutGoods),
    row('customers charged too much', ({ balance }) => balance.overcharged),
    { case: 'yardstick: orders a second', SQL: rounded(yardstick.ordersPerSecond) },
    { case: 'yardstick: CPU ms of an order', SQL: rounded(yardstick.cpuMs, 2) },
  ];
}

/** That the sale was right, and how fast it was relative to the yardstick and to the peers, which are not checked. */
export function checksOf(
  sale: Sale,
  peers: readonly Sale[],
  yardstick: Yardstick,
  { units, rate }: SaleOptions,
): Check[] {
  const { balance, failed, firstError, stock } = sale;
  const lowest = Math.min(...stock.map(({ unsold, available }) => Math.min(unsold, available)));
  const exactly = (name: string, value: number, wanted: number, note = ''): Check => ({
    ...{ name, value: note ? `${value}: ${note}` : value, target: `${wanted}` },
    pass: value === wanted,
  });
  const atLeast = (name: string, value: number, least: number): Check => ({
    ...{ name, value: rounded(value, 2), target: `≥ ${least}`, pass: value >= least },
  });
  const atMost = (name: string, value: number, most: number): Check => ({
    ...{ name, value: rounded(value, 2), target: `≤ ${most}`, pass: value <= most },
  });
  const share = shoppersPerSecond(sale) / yardstick.ordersPerSecond;
  const postgresMs = (sale.cpuMs.postgres ?? Number.NaN) / servedIn(sale);
  // In an open loop the rate is that of the arrivals, and few requests share a batch.
  const isClosed = rate === undefined;
  return [
    exactly('units oversold', balance.unitsOversold, 0),
    exactly('customers charged without goods', balance.chargedWithoutGoods, 0),
    exactly('customers charged too much', balance.overcharged, 0),
    exactly('shoppers failed', failed, 0, firstError),
    exactly('units sold and unsold', balance.unitsSold + (stock.at(-1)?.unsold ?? 0), units),
    atLeast('lowest stock', lowest, 0),
    ...(isClosed
      ? [
          atLeast('shoppers a second, relative to the yardstick', share, shareOfYardstickMin),
          atMost(
            'PostgreSQL’s CPU of a shopper, relative to the yardstick',
            postgresMs / yardstick.cpuMs,
            timesYardstickCpuMax,
          ),
        ]
      : [sale, ...peers].flatMap(({ store, lateMs, delayed }) => [
          atMost(`${store}: shoppers sent late, p99 ms`, percentile(lateMs, shares.p99), lateMsMax),
          exactly(`${store}: requests that waited for a connection of the crowd`, delayed, 0),
        ])),
    ...peers.flatMap((peer) => {
      const times = ordersPerSecond(sale) / ordersPerSecond(peer);
      const timesCheaper = cpuOfOrder(peer) / cpuOfOrder(sale);
      return [
        ...(isClosed
          ? [atLeast(`orders with goods a second, relative to ${peer.store}`, times, timesPeerMin)]
          : []),
        atLeast(
          `CPU of an order with goods, ${peer.store} relative to ours`,
          timesCheaper,
          timesPeerMin,
        ),
      ];
    }),
  ];
}
