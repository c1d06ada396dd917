import { parseArgs } from 'node:util';
import { UsageError } from '../../report.js';

export const help = `Usage: npm run bench -- flash-sale [options]

A sale through the router by a crowd that buys carts of 1 to 3 units. It writes a report with two plots to
bench/results/.

  --units N         units on the shelf, of all SKUs together (500)
  --skus N          SKUs on sale, 1 to 20 (1: one hot SKU)
  --shoppers N      shoppers, each with one cart (2000)
  --concurrency N   closed loop: shoppers at the same moment, 1 to 128 (64)
  --rate N          open loop instead: shoppers that arrive in a second, whether or not others are done
  --seconds N       open loop: time in which they arrive, instead of --shoppers
  --hold-seconds N  time after which an unpaid order expires, 16 to 600 (20)
  --never-pay N     percent of the shoppers who order and do not pay (10)
  --decline N       percent whose card is declined (5)
  --cancel N        percent who cancel their order before they pay (5)
  --repeat N        percent who send each request that buys twice at the same moment (10)
  --peers           the same sale on Vendure too, which is installed for it (about 150 MB)
  --json            a line of JSON for each row, for machines`;

export interface SaleOptions {
  readonly units: number;
  readonly skus: number;
  readonly shoppers: number;
  readonly concurrency: number;
  /** arrivals a second of an open loop; undefined for a closed loop */
  readonly rate: number | undefined;
  readonly holdSeconds: number;
  /** percent of the shoppers */
  readonly neverPay: number;
  readonly decline: number;
  readonly cancel: number;
  readonly repeat: number;
  readonly peers: boolean;
}

const arrivalsMax = 1_000_000;
const numbers = {
  units: { least: 1, most: 1_000_000, default: 500 },
  skus: { least: 1, most: 20, default: 1 },
  shoppers: { least: 1, most: arrivalsMax, default: 2000 },
  concurrency: { least: 1, most: 128, default: 64 },
  rate: { least: 1, most: 10_000, default: undefined },
  seconds: { least: 1, most: 3600, default: undefined },
  // At least twice `PAYMENT_TIMEOUT_SECONDS`, which is 8: the order subgraph refuses less.
  'hold-seconds': { least: 16, most: 600, default: 20 },
  'never-pay': { least: 0, most: 100, default: 10 },
  decline: { least: 0, most: 100, default: 5 },
  cancel: { least: 0, most: 100, default: 5 },
  repeat: { least: 0, most: 100, default: 10 },
} as const;
type NumberName = keyof typeof numbers;
const names = Object.keys(numbers) as NumberName[];

/** @throws UsageError with a sentence that says what is wrong */
export function readOptions(args: readonly string[]): SaleOptions {
  const given = parse(args);
  const isGiven = (name: NumberName) => given[name] !== undefined;
  const numberOf = (name: NumberName): number | undefined => {
    const text = given[name];
    const { least, most, default: usual } = numbers[name];
    if (text === undefined) return usual;
    const value = /^\d+$/.test(`${text}`) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new UsageError(`--${name} needs a whole number from ${least} to ${most}.`);
  };
  const required = (name: NumberName) => numberOf(name) as number;
  const [rate, seconds] = [numberOf('rate'), numberOf('seconds')];
  if (isGiven('rate') && isGiven('concurrency')) {
    throw new UsageError('--rate is an open loop, --concurrency a closed one. Give one of them.');
  }
  if (seconds !== undefined && rate === undefined) {
    throw new UsageError('--seconds needs --rate, the number of shoppers that arrive in a second.');
  }
  if (seconds !== undefined && isGiven('shoppers')) {
    throw new UsageError('--seconds and --shoppers both say how many come. Give one of them.');
  }
  const shoppers = rate && seconds ? rate * seconds : required('shoppers');
  if (shoppers > arrivalsMax) {
    throw new UsageError(`--rate times --seconds is ${shoppers} shoppers. At most ${arrivalsMax}.`);
  }
  const options = {
    units: required('units'),
    skus: required('skus'),
    shoppers,
    concurrency: required('concurrency'),
    rate,
    holdSeconds: required('hold-seconds'),
    neverPay: required('never-pay'),
    decline: required('decline'),
    cancel: required('cancel'),
    repeat: required('repeat'),
    peers: given.peers === true,
  };
  const unpaid = options.neverPay + options.decline + options.cancel;
  if (unpaid > 100) {
    throw new UsageError(`--never-pay, --decline and --cancel add up to ${unpaid}. At most 100.`);
  }
  if (options.units < options.skus) {
    throw new UsageError(`--units ${options.units} is less than one unit of each SKU.`);
  }
  return options;
}

function parse(args: readonly string[]): Partial<Record<string, string | boolean>> {
  const text = { type: 'string' } as const;
  const options = Object.fromEntries(names.map((name) => [name, text]));
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, peers: { type: 'boolean' } },
    });
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
