import type { Opt } from '@mikro-orm/core';
import {
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
  Trigger,
} from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { insertRows } from '../../shared/database/insert-rows.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { newId } from '../../shared/ids.js';
import { Allow } from '../../shared/rights/rights.js';
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
registerEnumType(OrderEventType, {
  name: 'OrderEventType',
  description: 'What happens to an order, in the order in which it usually does.',
  valuesConfig: {
    PLACED: { description: 'The customer placed it.' },
    RESERVED: { description: 'Its stock is held.' },
    PAYMENT_BEGUN: { description: 'An attempt to pay it began.' },
    PAYMENT_AUTHORIZED: { description: 'The provider keeps the money ready.' },
    PAYMENT_COMPLETED: { description: 'The money is taken.' },
    PAYMENT_FAILED: { description: 'The payment was declined.' },
    PAYMENT_VOIDED: { description: 'The payment was let go; no money was taken.' },
    CONFIRMED: { description: 'It is paid.' },
    SHIPPED: { description: 'It, or a shop’s part of it, is on its way.' },
    DELIVERED: { description: 'It, or a shop’s part of it, arrived.' },
    CANCELLED: { description: 'It, or a shop’s part of it, was cancelled.' },
    REFUND_REQUESTED: { description: 'Money is to go back.' },
    REFUND_COMPLETED: { description: 'Money went back.' },
  },
});

/** A line of an order’s history: who did what, when and why. Append-only, guarded by a trigger. */
@Allow('parent')
@ObjectType({ description: 'A line of an order’s history; it never changes.' })
@Entity({ tableName: 'order_event' })
@Index({ name: 'order_event_order', properties: ['orderId', 'id'] })
@Trigger({
  name: 'append_only',
  timing: 'before',
  events: ['update', 'delete'],
  forEach: 'statement',
  body: `raise exception 'the history of an order is append-only'`,
})
export class OrderEvent {
  @Field(() => UUID, { description: 'The id of the line.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => Order, { mapToPk: true, fieldName: 'order_id', index: false })
  orderId!: string;

  @Field(() => UUID, {
    nullable: true,
    description: 'The shop’s part that it is about; null: the order as a whole.',
  })
  @Property({ type: 'uuid', nullable: true })
  shopOrderId!: string | null;

  @Field(() => OrderEventType, { description: 'What happened.' })
  @Property({ type: 'text' })
  type!: OrderEventType;

  @Field(() => String, { description: 'Who did it: a user’s id, or the part of the system.' })
  @Property({ type: 'text' })
  actor!: string;

  @Field(() => String, { nullable: true, description: 'Why.' })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => Date, { name: 'at', description: 'When.' })
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
