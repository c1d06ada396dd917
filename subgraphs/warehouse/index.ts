import { keepPartitions } from '../shared/database/partitions/keep-partitions.js';
import { partitionGauges } from '../shared/database/partitions/partition-gauges.js';
import { defineSubgraph } from '../shared/define-subgraph.js';
import { runIfMain } from '../shared/runtime/process.js';
import { createApp } from './app.js';
import { variables } from './config.js';
import { onUnitsCancelled } from './fulfilment/on-units-cancelled.js';
import { onUnitsShipped } from './fulfilment/on-units-shipped.js';
import { databaseSchema } from './mikro-orm.config.js';
import { lockCommandMaxMs } from './reservation/dispatcher/stock-locks.js';
import { rowWaitMs } from './reservation/engine.js';
import { countHeld, oldestOverdueSeconds } from './reservation/reservation.js';
import { announceEndedSales } from './sale/announce-ended-sales.js';
import { source } from './schema.js';
import { ledgerPartitions } from './stock/ledger-checkpoint.js';
import { countItemsBelowFence } from './stock/stock-item.js';
import { countUnitsShort } from './stock/stock-level.js';
import { stockCsvRoute } from './stock-csv/stock-csv.route.js';
import { onShopCreated } from './warehouse/on-shop-created.js';

/** The warehouse subgraph: warehouses, stock, transfers, reservations and their expiry. */
export const subgraph = defineSubgraph({
  name: 'warehouse',
  variables,
  databaseSchema,
  lockTimeoutMs: rowWaitMs,
  feedPoolMax: 'DATABASE_FEED_POOL_MAX',
  source,
  callers: ['router', 'order', 'shop'],
  services: { shop: 'SHOP_URL', product: 'PRODUCT_URL', order: 'ORDER_URL' },
  redis: {
    timers: { url: 'TIMER_REDIS_URL' },
    events: { url: 'TIMER_REDIS_URL' },
    lock: { url: 'LOCK_REDIS_URLS', commandTimeout: lockCommandMaxMs },
  },
  app: createApp,
  consumes: {
    'shop.shop.created': onShopCreated,
    'order.units.shipped': onUnitsShipped,
    'order.units.cancelled': onUnitsCancelled,
  },
  emits: { 'warehouse.reservation.ended': 'order', 'warehouse.stock.changed': 'product' },
  workers: {
    'keep partitions': {
      everyMs: 600_000,
      run: ({ app, logger }, isStopping) =>
        keepPartitions({ ...app, logger }, [ledgerPartitions(app.ledgerMonths)], isStopping),
    },
    'announce ended sales': {
      everyMs: 500,
      run: ({ app }, isStopping) => announceEndedSales(app, isStopping),
    },
  },
  httpRoutes: [stockCsvRoute],
  gauges: [
    ...partitionGauges('stock_movement'),
    {
      name: 'holdfast_reservations_held',
      help: 'Reservations that are HELD.',
      read: ({ em }) => countHeld(em),
    },
    {
      name: 'holdfast_reservation_overdue_seconds',
      help: 'How long the oldest HELD reservation is overdue, in seconds; 0 if none is.',
      read: ({ em }) => oldestOverdueSeconds(em),
    },
    {
      name: 'holdfast_stock_units_short',
      help: 'Units that are promised or unavailable beyond those on hand.',
      read: ({ em }) => countUnitsShort(em),
    },
    {
      name: 'holdfast_sale_items_below_allocation',
      help: 'Items of sales that have fewer units available than are set aside.',
      read: ({ em }) => countItemsBelowFence(em),
    },
    {
      name: 'holdfast_stock_subscriptions',
      help: 'Open stock subscriptions.',
      read: ({ app }) => app.feeds.count(),
    },
    {
      name: 'holdfast_stock_subscription_items',
      help: 'Items that stock subscriptions watch, each counted for each of them.',
      read: ({ app }) => app.feeds.items(),
    },
  ],
});

export const startWarehouse = subgraph.start;

runIfMain(import.meta.url, startWarehouse);
