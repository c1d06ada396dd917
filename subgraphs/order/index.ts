import { keepPartitions } from '../shared/database/partitions/keep-partitions.js';
import { partitionGauges } from '../shared/database/partitions/partition-gauges.js';
import { defineSubgraph } from '../shared/define-subgraph.js';
import type { SubgraphContext } from '../shared/graphql/context.js';
import type { HttpRoute } from '../shared/http/route.js';
import { runIfMain } from '../shared/runtime/process.js';
import { createApp } from './app.js';
import { uncountIdleCarts } from './cart/uncount-idle-carts.js';
import { abandonOrders } from './checkout/abandon-orders.js';
import { variables } from './config.js';
import { orderGauges, providerGauges, reconciliationGauges } from './metrics.js';
import { databaseSchema } from './mikro-orm.config.js';
import { onPaymentsDue, onRefundsDue } from './order/payment-signals.js';
import { onReservationEnded } from './order/transitions/on-reservation-ended.js';
import type { PaymentApp } from './payment/payment-app.js';
import { reconcilePayments } from './payment/reconciliation/reconcile-payments.js';
import { recoverPayments } from './payment/recover-payments.js';
import { sendRefunds } from './payment/refund/send-refunds.js';
import { webhookRoute } from './payment/webhook/webhook-route.js';
import { saleGauges } from './sale/report/sale-gauges.js';
import { drawFileRoute } from './sale-queue/draw/draw-file.route.js';
import { drawGauges } from './sale-queue/draw/draw-gauges.js';
import { closeLists, drawQueues } from './sale-queue/draw/draw-queues.js';
import { followSales } from './sale-queue/follow-sales.js';
import type { QueueApp } from './sale-queue/queue-app.js';
import { source } from './schema.js';

// What a webhook reports does not wait for calls to the provider that take their whole time limit.
const parallelRunsMax = 4;

const httpRoutes: HttpRoute<SubgraphContext<PaymentApp & QueueApp>>[] = [
  webhookRoute,
  drawFileRoute,
];

/** The order subgraph: carts, checkout, orders, payments and refunds. */
export const subgraph = defineSubgraph({
  name: 'order',
  variables,
  databaseSchema,
  feedPoolMax: 'DATABASE_FEED_POOL_MAX',
  source,
  callers: ['router', 'warehouse'],
  services: {
    user: 'USER_URL',
    shop: 'SHOP_URL',
    // Each has connections of its own: payments must not wait behind checkouts that wait for stock.
    warehouse: 'WAREHOUSE_URL',
    reserving: 'WAREHOUSE_URL',
    ending: 'WAREHOUSE_URL',
  },
  redis: { events: { url: 'EVENTS_REDIS_URL' }, hints: { url: 'EVENTS_REDIS_URL' } },
  app: createApp,
  consumes: { 'warehouse.reservation.ended': onReservationEnded },
  emits: { 'order.units.shipped': 'ending', 'order.units.cancelled': 'ending' },
  workers: {
    'abandon orders': {
      everyMs: 5000,
      run: ({ app }, isStopping) => abandonOrders(app, isStopping),
    },
    'admit waiting customers': {
      everyMs: 250,
      run: ({ app }) => app.admitWaiting(),
    },
    'recover payments': {
      everyMs: 500,
      parallelMax: parallelRunsMax,
      wakenBy: onPaymentsDue,
      run: ({ app }, isStopping) => recoverPayments(app, isStopping),
    },
    'send refunds': {
      everyMs: 1000,
      parallelMax: parallelRunsMax,
      wakenBy: onRefundsDue,
      run: ({ app }, isStopping) => sendRefunds(app, isStopping),
    },
    'reconcile payments': {
      everyMs: 600_000,
      run: ({ app }, isStopping) => reconcilePayments(app, isStopping),
    },
    'check payment providers': {
      everyMs: 5000,
      run: ({ app }) => app.providerChecks.repeat(),
    },
    'forget idle carts': {
      everyMs: 10_000,
      run: ({ em }, isStopping) => uncountIdleCarts(em, isStopping),
    },
    'queues of sales': {
      everyMs: 1000,
      run: ({ app, em }) => followSales(app, em),
    },
    'close lists of queues': {
      everyMs: 500,
      run: ({ app, em }, isStopping) => closeLists(app, em, isStopping),
    },
    'draw queues': {
      everyMs: 500,
      run: ({ app, em }, isStopping) => drawQueues(app, em, isStopping),
    },
    'keep partitions': {
      everyMs: 600_000,
      run: ({ app, logger }, isStopping) =>
        keepPartitions({ ...app, logger }, [app.historyPartitions], isStopping),
    },
  },
  httpRoutes,
  gauges: [
    ...partitionGauges('order_event'),
    ...orderGauges,
    ...reconciliationGauges,
    ...providerGauges,
    ...saleGauges,
    ...drawGauges,
  ],
});

export const startOrder = subgraph.start;

runIfMain(import.meta.url, startOrder);
