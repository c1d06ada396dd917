import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { OrderItem } from '../../order/shop-order.js';
import { Refund } from './refund.js';

/** Units of a line whose price a refund returns. No unit is in two refunds. */
@Entity({ tableName: 'refund_line' })
@Index({ name: 'refund_line_order_item', properties: ['orderItemId'] })
@Check({ name: 'refund_line_quantity', expression: 'quantity > 0' })
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

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
