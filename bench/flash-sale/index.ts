import { install } from '../install.js';
import { openLiveLine } from '../live-line.js';
import type { Outcome } from '../report.js';
import { verifyAtRest } from '../verify-at-rest.js';
import { measureYardstick } from '../yardstick.js';
import { openHoldfast } from './holdfast/store.js';
import { checksOf, rowsOf } from './outcome.js';
import { holdSale, type Sale, warmUp } from './sale/hold-sale.js';
import { readOptions, type SaleOptions } from './sale/options.js';
import { planShoppers } from './sale/shoppers.js';
import type { Store } from './sale/store.js';
import { openVendure, vendureFolder } from './vendure/store.js';
import { writeResults } from './write-results.js';

export { help } from './sale/options.js';

/** Holds a sale through the router, and with `--peers` the same sale on Vendure after it. */
export async function run(
  progress: (line: string) => void,
  args: readonly string[],
): Promise<Outcome> {
  const options = readOptions(args);
  const hasPeer = options.peers && install(vendureFolder, progress);
  const holdfast = await openHoldfast(options, progress);
  const { yardstick, ours, holds } = await closing(holdfast, async () => {
    progress('yardstick: the same carts sold by SQL alone');
    const measured = await measureYardstick({
      url: holdfast.postgresUrl,
      processId: holdfast.processIds.postgres as number,
      connections: options.concurrency,
      carts: planShoppers(options).map(({ cart }) => cart),
    });
    const sale = await saleIn(holdfast, options, progress);
    return { yardstick: measured, ours: sale, holds: await verifyAtRest(holdfast.databases) };
  });
  const theirs = hasPeer ? [await saleOnVendure(options, progress)] : [];
  const outcome = {
    results: rowsOf([ours, ...theirs], yardstick),
    checks: [...checksOf(ours, theirs, yardstick, options), holds],
  };
  for (const file of writeResults(options, outcome, [ours, ...theirs])) progress(`wrote ${file}`);
  return outcome;
}

async function saleOnVendure(options: SaleOptions, progress: (line: string) => void) {
  const vendure = await openVendure(options, progress);
  return closing(vendure, () => saleIn(vendure, options, progress));
}

async function saleIn(
  store: Store,
  options: SaleOptions,
  progress: (line: string) => void,
): Promise<Sale> {
  progress(`${store.name}: warm-up`);
  await warmUp(store, options);
  const line = openLiveLine();
  try {
    return await holdSale(store, options, line);
  } finally {
    line.end();
  }
}

async function closing<T>(store: Store, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await store.close();
  }
}
