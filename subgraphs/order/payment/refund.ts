import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { type EntityManager, sql } from '../../shared/database.js';
import { newId } from '../../shared/ids.js';
import { ShopOrder } from '../order/shop-order.js';
import { sqlList } from '../order/status.js';
import { Payment } from './payment.js';

export const RefundStatus = { PENDING: 'PENDING', COMPLETED: 'COMPLETED' } as const;
export type RefundStatus = keyof typeof RefundStatus;

/** Money that goes back; its id is the key under which the provider sends it once. */
@Entity({ tableName: 'refund' })
@Index({
  name: 'refund_once',
  expression:
    'create unique index refund_once on refund (payment_id, shop_order_id) nulls not distinct',
})
@Index({
  name: 'refund_due',
  expression: `create index refund_due on refund (updated_at) where status = 'PENDING'`,
})
@Check({ name: 'refund_status_known', expression: `status in (${sqlList(RefundStatus)})` })
@Check({ name: 'refund_amount', expression: 'amount > 0' })
export class Refund {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => Payment, { mapToPk: true, fieldName: 'payment_id', index: false })
  paymentId!: string;

  /** the part of the order that it is for; null: the payment as a whole */
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

  @Property({ type: 'varchar', length: 255 })
  reason!: string;

  @Property({ type: 'text', default: 'PENDING' })
  status!: RefundStatus;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

export interface RefundRequest {
  readonly paymentId: string;
  /** the part of the order that it is for; null: what of the payment is not refunded yet */
  readonly shopOrderId: string | null;
  /** how much of it, exact; null with `shopOrderId` null: all that is left */
  readonly amount: string | null;
  readonly reason: string;
}

/**
 * Writes down, in the transaction of `em`, that money is to go back; a worker sends it. Refunds of
 * a payment never exceed it, and a part is refunded once: asking again changes nothing.
 *
 * @returns whether there was something to refund
 */
export async function requestRefund(em: EntityManager, request: RefundRequest): Promise<boolean> {
  const { paymentId, shopOrderId, amount, reason } = request;
  await sql(em, 'select 1 from payment where id = $1 for update', [paymentId]);
  const rows = await sql(
    em,
    `insert into refund (id, payment_id, shop_order_id, amount, reason)
     select $1, p.id, $3, least(coalesce($4::numeric, p.amount), p.amount - refunded.sum), $5
     from payment p, lateral (
       select coalesce(sum(amount), 0) as sum from refund where payment_id = p.id) refunded
     where p.id = $2 and p.amount > refunded.sum
     on conflict do nothing returning id`,
    [newId(), paymentId, shopOrderId, amount, reason],
  );
  return rows.length > 0;
}
