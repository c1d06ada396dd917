import type { Redis } from 'ioredis';
import { gaugeOf } from '../shared/observability/metrics.js';
import { createShopOwners } from '../shared/rights/shop-owners.js';
import type { SubgraphParts } from '../shared/subgraph-definition.js';
import type { variables } from './config.js';
import type { WarehouseApp } from './context.js';
import { startExpiry } from './expiry/expiry.js';
import { requireExpiryEvents } from './expiry/keyspace-events.js';
import { createLevelAlerts } from './live/level-alerts.js';
import type { LiveApp } from './live/live-context.js';
import { lowStock, shortfalls } from './live/read-affected.js';
import { createStockFeeds } from './live/stock-feeds.js';
import { createStockEngine, type StockEngine } from './reservation/engine.js';
import { createStockMessages } from './signals/stock-messages.js';
import { createStockCsvApp, type StockCsvApp } from './stock-csv/stock-csv-context.js';

type Parts = SubgraphParts<
  typeof variables,
  'shop' | 'product' | 'order',
  { readonly timers: Redis; readonly events: Redis; readonly lock: readonly Redis[] }
>;

/**
 * What all features of this subgraph need together. Expiry runs from here on.
 *
 * @throws ConfigError if the Redis of the timers cannot send events of expired keys
 */
export async function createApp(
  parts: Parts,
): Promise<WarehouseApp & StockEngine & LiveApp & StockCsvApp> {
  const { config, orm, feedOrm, services, redis, registry, logger, onStop } = parts;
  const { timers, events, lock: locks } = redis;
  await requireExpiryEvents({ commands: timers, events });
  const engine = createStockEngine({ orm, timers, locks, registry, logger });
  const messages = createStockMessages(events, logger);
  const feeds = createStockFeeds(feedOrm.em, messages, logger);
  onStop(() => feeds.stop());
  const lowStockAlerts = createLevelAlerts(lowStock, feedOrm.em, messages, logger);
  onStop(() => lowStockAlerts.stop());
  const shortfallAlerts = createLevelAlerts(shortfalls, feedOrm.em, messages, logger);
  onStop(() => shortfallAlerts.stop());
  const sweepEveryMs = config.SWEEP_EVERY_MS;
  const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs });
  onStop(() => expiry.stop());
  const eventsReceived = {
    name: 'holdfast_expiry_events_received',
    help: '1 if events of expired Redis keys arrive, else 0. Without them the sweeper expires reservations.',
  };
  gaugeOf(registry, eventsReceived, () => (expiry.areEventsReceived() ? 1 : 0));
  return {
    ...engine,
    ...createStockCsvApp(),
    feeds,
    lowStockAlerts,
    shortfallAlerts,
    owners: createShopOwners(services.shop),
    product: services.product,
    order: services.order,
    databaseUrl: config.DATABASE_URL,
    ledgerMonths: config.LEDGER_MONTHS,
  };
}
