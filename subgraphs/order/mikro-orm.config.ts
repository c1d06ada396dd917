import type { Schema } from '../shared/database/connect.js';
import { Migration20261210PartitionFunctions } from '../shared/database/partitions/20261210-partition-functions.js';
import { Migration20261127StoredOutcomes } from '../shared/idempotency/20261127-stored-outcomes.js';
import { IdempotencyKey } from '../shared/idempotency/claim-key.js';
import { StoredOutcome } from '../shared/idempotency/stored-outcome.js';
import { Migration20261216OutboxLanes } from '../shared/messaging/20261216-outbox-lanes.js';
import { Migration20261218OutboxPositions } from '../shared/messaging/20261218-outbox-positions.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Migration20261207QueueMark } from '../shared/runtime/20261207-queue-mark.js';
import { Migration20261210QueueScan } from '../shared/runtime/20261210-queue-scan.js';
import { QueueMark } from '../shared/runtime/queue-mark.js';
import { Cart, CartItem, UnitsInCarts } from './cart/cart.js';
import { CustomerHold } from './hold-limit/customer-hold.js';
import { Migration20261127Initial } from './migrations/20261127-initial.js';
import { Migration20261127ShippedUnits } from './migrations/20261127-shipped-units.js';
import { Migration20261128Addresses } from './migrations/20261128-addresses.js';
import { Migration20261128HeldOrders } from './migrations/20261128-held-orders.js';
import { Migration20261128HeldOrdersIndexes } from './migrations/20261128-held-orders-indexes.js';
import { Migration20261130NeverPaid } from './migrations/20261130-never-paid.js';
import { Migration20261201PaymentMachines } from './migrations/20261201-payment-machines.js';
import { Migration20261202Reconciliation } from './migrations/20261202-reconciliation.js';
import { Migration20261203DeclineCodes } from './migrations/20261203-decline-codes.js';
import { Migration20261203PaymentAttempts } from './migrations/20261203-payment-attempts.js';
import { Migration20261204RefundsOfLines } from './migrations/20261204-refunds-of-lines.js';
import { Migration20261205CustomerKeys } from './migrations/20261205-customer-keys.js';
import { Migration20261206HistoryPartitions } from './migrations/20261206-history-partitions.js';
import { Migration20261207Retention } from './migrations/20261207-retention.js';
import { Migration20261208ListIndexes } from './migrations/20261208-list-indexes.js';
import { Migration20261208RecentChanges } from './migrations/20261208-recent-changes.js';
import { Migration20261219Sales } from './migrations/20261219-sales.js';
import { Migration20261220SaleReport } from './migrations/20261220-sale-report.js';
import { Migration20261223SaleQueue } from './migrations/20261223-sale-queue.js';
import { Migration20261224Admission } from './migrations/20261224-admission.js';
import { Order } from './order/order.js';
import { OrderEvent } from './order/order-event.js';
import { NumberedOrder } from './order/order-number.js';
import { OrderItem, ShopOrder } from './order/shop-order.js';
import { Reconciliation } from './payment/reconciliation/reconciliation.js';
import { Dispute } from './payment/state/dispute.js';
import { Payment } from './payment/state/payment.js';
import { ProviderTransaction } from './payment/state/provider-transaction.js';
import { Refund } from './payment/state/refund.js';
import { RefundLine } from './payment/state/refund-line.js';
import { PaymentEvent } from './payment/webhook/payment-event.js';
import { Purchase } from './purchase-limit/purchase.js';
import { SaleRefusal } from './sale/report/sale-refusal.js';
import { SaleAddress } from './sale-limit/sale-address.js';
import { SalePhone } from './sale-limit/sale-phone.js';
import { SalePurchase } from './sale-limit/sale-purchase.js';
import { SaleQueue } from './sale-queue/sale-queue.js';
import { SaleTicket } from './sale-queue/sale-ticket.js';

export const databaseSchema: Schema = {
  seqScans: false,
  entities: [
    Order,
    NumberedOrder,
    ShopOrder,
    OrderItem,
    OrderEvent,
    Payment,
    ProviderTransaction,
    Refund,
    RefundLine,
    Dispute,
    CustomerHold,
    Purchase,
    SalePurchase,
    SaleAddress,
    SalePhone,
    SaleQueue,
    SaleTicket,
    SaleRefusal,
    Cart,
    CartItem,
    UnitsInCarts,
    PaymentEvent,
    Reconciliation,
    IdempotencyKey,
    InboxEntry,
    OutboxEntry,
    QueueMark,
    StoredOutcome,
  ],
  migrations: [
    { name: '20261127-initial', class: Migration20261127Initial },
    { name: '20261127-shipped-units', class: Migration20261127ShippedUnits },
    { name: '20261127-stored-outcomes', class: Migration20261127StoredOutcomes },
    { name: '20261128-addresses', class: Migration20261128Addresses },
    { name: '20261128-held-orders', class: Migration20261128HeldOrders },
    { name: '20261128-held-orders-indexes', class: Migration20261128HeldOrdersIndexes },
    { name: '20261130-never-paid', class: Migration20261130NeverPaid },
    { name: '20261201-payment-machines', class: Migration20261201PaymentMachines },
    { name: '20261202-reconciliation', class: Migration20261202Reconciliation },
    { name: '20261203-decline-codes', class: Migration20261203DeclineCodes },
    { name: '20261203-payment-attempts', class: Migration20261203PaymentAttempts },
    { name: '20261204-refunds-of-lines', class: Migration20261204RefundsOfLines },
    { name: '20261205-customer-keys', class: Migration20261205CustomerKeys },
    { name: '20261206-history-partitions', class: Migration20261206HistoryPartitions },
    { name: '20261207-queue-mark', class: Migration20261207QueueMark },
    { name: '20261207-retention', class: Migration20261207Retention },
    { name: '20261208-list-indexes', class: Migration20261208ListIndexes },
    { name: '20261208-recent-changes', class: Migration20261208RecentChanges },
    { name: '20261210-partition-functions', class: Migration20261210PartitionFunctions },
    { name: '20261210-queue-scan', class: Migration20261210QueueScan },
    { name: '20261216-outbox-lanes', class: Migration20261216OutboxLanes },
    { name: '20261218-outbox-positions', class: Migration20261218OutboxPositions },
    { name: '20261219-sales', class: Migration20261219Sales },
    { name: '20261220-sale-report', class: Migration20261220SaleReport },
    { name: '20261223-sale-queue', class: Migration20261223SaleQueue },
    { name: '20261224-admission', class: Migration20261224Admission },
  ],
};
