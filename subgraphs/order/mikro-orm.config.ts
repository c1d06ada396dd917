import type { Schema } from '../shared/database/connect.js';
import { IdempotencyKey } from '../shared/idempotency.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Cart, CartItem, UnitsInCarts } from './cart/cart.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Migration20261123Afterwards } from './migrations/20261123-afterwards.js';
import { Migration20261124Cart } from './migrations/20261124-cart.js';
import { Migration20261124Purchases } from './migrations/20261124-purchases.js';
import { Migration20261125Payments } from './migrations/20261125-payments.js';
import { Migration20261126NotHeld } from './migrations/20261126-not-held.js';
import { Order } from './order/order.js';
import { OrderEvent } from './order/order-event.js';
import { OrderItem, ShopOrder } from './order/shop-order.js';
import { Payment } from './payment/payment.js';
import { Refund } from './payment/refund.js';
import { PaymentEvent } from './payment/webhook/payment-event.js';
import { Purchase } from './purchase-limit/purchase.js';

export const databaseSchema: Schema = {
  entities: [
    Order,
    ShopOrder,
    OrderItem,
    OrderEvent,
    Payment,
    Refund,
    Purchase,
    Cart,
    CartItem,
    UnitsInCarts,
    PaymentEvent,
    IdempotencyKey,
    InboxEntry,
    OutboxEntry,
  ],
  migrations: [
    { name: '20261121-spine', class: Migration20261121Spine },
    { name: '20261123-afterwards', class: Migration20261123Afterwards },
    { name: '20261124-purchases', class: Migration20261124Purchases },
    { name: '20261124-cart', class: Migration20261124Cart },
    { name: '20261125-payments', class: Migration20261125Payments },
    { name: '20261126-not-held', class: Migration20261126NotHeld },
  ],
};
