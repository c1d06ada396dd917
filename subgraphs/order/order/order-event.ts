import type { Opt } from '@mikro-orm/core';
import {
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
  Trigger,
} from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '../../shared/database.js';
import { newId } from '../../shared/ids.js';
import { insertRows } from '../../shared/insert-rows.js';
import { Order } from './order.js';

/** What happens to an order, in the order in which it usually does. */
export const OrderEventType = {
  PLACED: 'PLACED',
  RESERVED: 'RESERVED',
  PAYMENT_BEGUN: 'PAYMENT_BEGUN',
  PAYMENT_AUTHORIZED: 'PAYMENT_AUTHORIZED',
  PAYMENT_COMPLETED: 'PAYMENT_COMPLETED',
  PAYMENT_FAILED: 'PAYMENT_FAILED',
  PAYMENT_VOIDED: 'PAYMENT_VOIDED',
  CONFIRMED: 'CONFIRMED',
  SHIPPED: 'SHIPPED',
  DELIVERED: 'DELIVERED',
  CANCELLED: 'CANCELLED',
  REFUND_REQUESTED: 'REFUND_REQUESTED',
  REFUND_COMPLETED: 'REFUND_COMPLETED',
} as const;
export type OrderEventType = keyof typeof OrderEventType;

/** A line of an order’s history: who did what, when and why. Append-only, guarded by a trigger. */
@Entity({ tableName: 'order_event' })
@Index({ name: 'order_event_order', properties: ['orderId', 'id'] })
@Trigger({
  name: 'order_event_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  forEach: 'statement',
  body: `raise exception 'the history of an order is append-only'`,
})
export class OrderEvent {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => Order, { mapToPk: true, fieldName: 'order_id', index: false })
  orderId!: string;

  /** the shop’s part that it is about; null: the whole order */
  @Property({ type: 'uuid', nullable: true })
  shopOrderId!: string | null;

  @Property({ type: 'text' })
  type!: OrderEventType;

  /** a user’s id, or the part of the system that did it */
  @Property({ type: 'text' })
  actor!: string;

  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

export interface NewOrderEvent {
  readonly orderId: string;
  readonly shopOrderId?: string;
  readonly type: OrderEventType;
  readonly actor: string;
  readonly reason?: string | null;
}

/** Adds lines to the history of orders, in the transaction of `em`. */
export function recordEvents(em: EntityManager, events: readonly NewOrderEvent[]): Promise<void> {
  const rows = events.map((event) => ({
    id: newId(),
    shopOrderId: null,
    reason: null,
    ...event,
  }));
  return insertRows(em, OrderEvent, rows);
}
