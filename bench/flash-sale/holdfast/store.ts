import { setTimeout as sleep } from 'node:timers/promises';
import { seedId } from '../../../dev/seed/ids.js';
import { seedSessions, withTokens } from '../../../dev/seed/sessions.js';
import { seedStore } from '../../../dev/seed/store.js';
import type { DatabaseUrls } from '../../../ops/databases/urls.js';
import { migrateAll } from '../../../ops/migrate-all.js';
import { vendor } from '../../checkout/vendor.js';
import { openServers } from '../../environment.js';
import { createGraphQLClient } from '../../router/operations.js';
import { startSystemProcesses } from '../../system-processes.js';
import type { SaleOptions } from '../sale/options.js';
import { shelfOf } from '../sale/shoppers.js';
import { connectionsOf, type Store } from '../sale/store.js';
import { openBooks } from './books.js';
import { createCustomers } from './customers.js';

// Enough for a thousand customers.
const variants = 20_000;
const plenty = 100_000;
const expiryMaxSeconds = 30;
const pollMs = 250;

interface Holdfast extends Store {
  readonly databases: DatabaseUrls;
  /** of the server's administrator */
  readonly postgresUrl: string;
}

/** Starts the whole system on databases of its own, with the units of the sale and one more SKU, for the warm-up. */
export async function openHoldfast(
  options: SaleOptions,
  progress: (line: string) => void,
): Promise<Holdfast> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  progress(`${await seedStore(databases, variants)} variants seeded`);
  const settings = { RESERVATION_MINUTES: `${options.holdSeconds / 60}` };
  const system = await startSystemProcesses(databases, redis.url, settings);
  const router = createGraphQLClient(`${system.routerUrl}/graphql`, {}, connectionsOf(options));
  const sessions = await withTokens(await seedSessions(databases.user), system.secrets.signingKeys);
  const customers = sessions.filter(({ role }) => role === 'CUSTOMER');
  const vera = await vendor(router, sessions);
  const offers = vera.unlimitedOffers.slice(0, options.skus + 1);
  const skus = offers.slice(0, options.skus).map((offer) => vera.skuOf(offer));
  const sandboxUrl = system.environments.router.STORE_PAYMENT_SANDBOX_URL as string;
  const books = await openBooks(databases, sandboxUrl, { shopId: seedId('shop', 0), skus });
  for (const { sku, warehouseId, units } of await books.readElsewhere(seedId('warehouse', 0))) {
    await vera.takeOut(sku, warehouseId, units);
  }
  for (const [sku, units] of [...shelfOf(options), plenty].entries()) {
    await vera.setAvailable(offers[sku] as string, units);
  }
  const { unsold, available } = await books.readStock();
  if (unsold !== options.units || available !== options.units) {
    throw new Error(`${unsold} units unsold and ${available} available, not ${options.units}`);
  }
  return {
    name: 'Holdfast',
    databases,
    postgresUrl: postgres.url,
    processIds: {
      ...system.processIds,
      postgres: postgres.processId,
      redis: redis.process.pid as number,
    },
    sell: createCustomers(router, customers, offers),
    delayed: router.delayed,
    readStock: books.readStock,
    readBooks: books.read,
    async settle() {
      const endMs = performance.now() + (options.holdSeconds + expiryMaxSeconds) * 1000;
      while ((await books.countHeld()) > 0 && performance.now() < endMs) await sleep(pollMs);
      return books.countExpired();
    },
    async close() {
      await Promise.all([router.close(), books.end()]);
      await system.stop();
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}
