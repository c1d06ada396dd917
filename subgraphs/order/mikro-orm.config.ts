import type { Schema } from '../shared/database.js';
import { IdempotencyKey } from '../shared/idempotency.js';
import { InboxEntry } from '../shared/inbox.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Order } from './order/order.js';
import { OrderItem, ShopOrder } from './order/shop-order.js';
import { Payment } from './payment/payment.js';

export const databaseSchema: Schema = {
  entities: [Order, ShopOrder, OrderItem, Payment, IdempotencyKey, InboxEntry],
  migrations: [{ name: '20261121-spine', class: Migration20261121Spine }],
};
