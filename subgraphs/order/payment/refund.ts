import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, ObjectType } from 'type-graphql';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { sql } from '../../shared/database/sql.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { newId } from '../../shared/ids.js';
import { Allow } from '../../shared/rights/rights.js';
import { lockPayment } from '../locks.js';
import { recordEvents } from '../order/order-event.js';
import { ShopOrder } from '../order/shop-order.js';
import { Payment } from './payment.js';
import { RefundStatus } from './status.js';

/** Its id is also the idempotency key at the provider. */
@Allow('parent')
@ObjectType({ description: 'A refund of a payment, in full or in part.' })
@Entity({ tableName: 'refund' })
@Index({
  name: 'refund_once',
  expression:
    'create unique index refund_once on refund (payment_id, shop_order_id) nulls not distinct',
})
@Index({
  name: 'refund_due',
  expression: `create index refund_due on refund (next_attempt_at) where status = 'PENDING'`,
})
@Check({ name: 'refund_status_known', expression: isOneOf('status', Object.keys(RefundStatus)) })
@Index({ name: 'refund_shop_order', properties: ['shopOrderId'] })
@Check({ name: 'refund_amount', expression: 'amount > 0' })
export class Refund {
  @Field(() => UUID, { description: 'Id of the refund.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => Payment, { mapToPk: true, fieldName: 'payment_id', index: false })
  paymentId!: string;

  /** the shop order that is refunded; null for the payment as a whole */
  @ManyToOne(() => ShopOrder, {
    mapToPk: true,
    fieldName: 'shop_order_id',
    deleteRule: 'restrict',
    index: false,
    nullable: true,
  })
  shopOrderId!: string | null;

  @Property({ type: 'numeric', precision: 14, scale: 2, fieldName: 'amount' })
  amountValue!: string;

  @Field(() => String, { description: 'Reason.' })
  @Property({ type: 'varchar', length: 255 })
  reason!: string;

  @Field(() => RefundStatus, { description: 'Current status.' })
  @Property({ type: 'text', default: 'PENDING' })
  status!: RefundStatus;

  /** the number of times that a worker sent it */
  @Property({ type: 'integer', default: 0 })
  attempts!: Opt<number>;

  /** when a worker sends it next */
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  nextAttemptAt!: Opt<Date>;

  @Field(() => Date, { description: 'Time of the request.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

export interface RefundRequest {
  readonly paymentId: string;
  /** the shop order to refund; null for the rest of the payment */
  readonly shopOrderId: string | null;
  /** the exact amount; null, only with a null `shopOrderId`, for all that is not refunded yet */
  readonly amount: string | null;
  readonly reason: string;
  /** the id of the user who requested it, if any */
  readonly actor?: string;
}

/**
 * Inserts a due refund, in the transaction of `em`; a worker sends it. Refunds never exceed their
 * payment, and a shop order is refunded once: a second request changes nothing.
 *
 * @returns whether anything was left to refund
 */
export async function requestRefund(em: EntityManager, request: RefundRequest): Promise<boolean> {
  const { paymentId, shopOrderId, amount, reason, actor = 'payments' } = request;
  await lockPayment(em, paymentId);
  const [refund] = await sql<{ orderId: string }>(
    em,
    `insert into refund (id, payment_id, shop_order_id, amount, reason)
     select $1, p.id, $3, least(coalesce($4::numeric, p.amount), p.amount - refunded.sum), $5
     from payment p, lateral (
       select coalesce(sum(amount), 0) as sum from refund where payment_id = p.id) refunded
     where p.id = $2 and p.amount > refunded.sum
     on conflict do nothing
     returning (select order_id from payment where id = payment_id) as "orderId"`,
    [newId(), paymentId, shopOrderId, amount, reason],
  );
  if (!refund) return false;
  const event = { type: 'REFUND_REQUESTED', actor, reason } as const;
  const about = { orderId: refund.orderId, ...(shopOrderId && { shopOrderId }) };
  await recordEvents(em, [{ ...about, ...event }]);
  return true;
}
