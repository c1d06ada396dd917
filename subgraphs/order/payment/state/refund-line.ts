import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { OrderItem } from '../../order/shop-order.js';
import { Refund } from './refund.js';

/** Units of a line whose price a refund returns. No unit is in two refunds, unless it was replaced in one. */
@Entity({ tableName: 'refund_line' })
@Index({ name: 'refund_line_order_item', properties: ['orderItemId'] })
@Check({ name: 'refund_line_quantity', expression: 'quantity > 0' })
@Check({ name: 'refund_line_replaced', expression: 'replaced >= 0 and replaced <= quantity' })
export class RefundLine {
  @ManyToOne(() => Refund, {
    mapToPk: true,
    primary: true,
    fieldName: 'refund_id',
    index: false,
    deleteRule: 'no action',
    updateRule: 'no action',
  })
  refundId!: string;

  @ManyToOne(() => OrderItem, {
    mapToPk: true,
    primary: true,
    fieldName: 'order_item_id',
    index: false,
    deleteRule: 'no action',
    updateRule: 'no action',
  })
  orderItemId!: string;

  @Property({ type: 'integer' })
  quantity!: number;

  /** units that a newer refund returns, as this one had failed */
  @Property({ type: 'integer', default: 0 })
  replaced!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
