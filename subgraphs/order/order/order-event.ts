import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, ObjectType } from 'type-graphql';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { insertRows } from '../../shared/database/insert-rows.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { newId } from '../../shared/ids.js';
import { Allow } from '../../shared/rights/rights.js';

/** Types of events in an order's history, in their usual sequence. */
export const OrderEventType = enumOf(
  'OrderEventType',
  'Types of events in an order’s history, in their usual sequence.',
  {
    PLACED: 'The customer placed the order.',
    RESERVED: 'The stock was reserved.',
    PAYMENT_BEGUN: 'A payment began.',
    PAYMENT_AUTHORIZED: 'The provider authorized the payment.',
    PAYMENT_COMPLETED: 'The payment was captured.',
    PAYMENT_FAILED: 'The payment failed or was declined.',
    PAYMENT_VOIDED: 'The authorization was voided; nothing was captured.',
    CONFIRMED: 'The order is paid.',
    SHIPPED: 'The order or a shop order was shipped.',
    DELIVERED: 'The order or a shop order was delivered.',
    UNITS_CANCELLED: 'Some units of a shop order were cancelled.',
    CANCELLED: 'The order or a shop order was cancelled.',
    REFUND_REQUESTED: 'A refund was requested.',
    REFUND_COMPLETED: 'The provider reports that the money of a refund was returned.',
    REFUND_FAILED: 'The money of a refund was not returned; the reason says why.',
    REFUND_CANCELLED: 'A refund was not sent, because the customer has the money already.',
    DISPUTE_CHANGED: 'A dispute of the payment began or changed; the reason is its status.',
  },
);
export type OrderEventType = keyof typeof OrderEventType;

/** An entry of an order’s history. Append-only, enforced by a trigger, once the stock is held. */
@Allow('parent')
@ObjectType({ description: 'An entry of an order’s history. Entries never change.' })
@Retained({ withOwner: 'customer_order' }, { detachedAfter: 'ORDER_HISTORY_MONTHS' })
@Entity({ tableName: 'order_event' })
@ForeignKey({
  name: 'order_event_order_id_foreign',
  columns: ['customer_id', 'order_id'],
  references: { table: 'customer_order', columns: ['customer_id', 'id'] },
})
@Index({ name: 'order_event_order', properties: ['customerId', 'orderId', 'id'] })
@Index({
  name: 'order_event_recent',
  expression:
    'create index order_event_recent on order_event using brin (id) with (pages_per_range = 32, autosummarize = on)',
})
@Trigger({
  name: 'append_only',
  timing: 'before',
  events: ['update', 'delete'],
  forEach: 'row',
  // Only the history of what never was an order is deleted (never-held-orders.ts).
  body: `if tg_op = 'DELETE' and exists (select from customer_order
        where customer_id = old.customer_id and id = old.order_id
        and number is null and status = 'CANCELLED' and created_at < now() - interval '7 days')
      then return old; end if;
      raise exception 'the history of an order is append-only'`,
})
export class OrderEvent {
  [PrimaryKeyProp]?: ['customerId', 'id'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Field(() => UUID, { description: 'Id of the entry.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  orderId!: string;

  @Field(() => UUID, {
    nullable: true,
    description: 'Id of the shop order concerned; null for the order as a whole.',
  })
  @Property({ type: 'uuid', nullable: true })
  shopOrderId!: string | null;

  @Field(() => OrderEventType, { description: 'What happened.' })
  @Property({ type: 'text' })
  type!: OrderEventType;

  @Field(() => String, { description: 'Who did it: the id of a user, or the name of a component.' })
  @Property({ type: 'text' })
  actor!: string;

  @Field(() => String, { nullable: true, description: 'Reason.' })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => Date, { name: 'at', description: 'Time of the event.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

export const OrderEventConnection = connectionOf(OrderEvent, 'OrderEvent');

export interface NewOrderEvent {
  readonly customerId: string;
  readonly orderId: string;
  readonly shopOrderId?: string;
  readonly type: OrderEventType;
  readonly actor: string;
  readonly reason?: string | null;
}

/** Adds entries to the history of orders, in the transaction of `em`. */
export function recordEvents(em: EntityManager, events: readonly NewOrderEvent[]): Promise<void> {
  const rows = events.map((event) => ({
    id: newId(),
    shopOrderId: null,
    reason: null,
    ...event,
  }));
  return insertRows(em, OrderEvent, rows);
}
