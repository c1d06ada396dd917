import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { ForeignKey } from '../../../shared/database/foreign-key.js';
import { Retained } from '../../../shared/database/retention.js';

/** Units of a line whose price a refund returns. No unit is in two refunds, unless it was replaced in one. */
@Retained({ withOwner: 'refund' })
@Entity({ tableName: 'refund_line' })
@ForeignKey({
  name: 'refund_line_refund_id_foreign',
  columns: ['customer_id', 'refund_id'],
  references: { table: 'refund', columns: ['customer_id', 'id'] },
})
@ForeignKey({
  name: 'refund_line_order_item_id_foreign',
  columns: ['customer_id', 'order_item_id'],
  references: { table: 'order_item', columns: ['customer_id', 'id'] },
})
@Index({ name: 'refund_line_order_item', properties: ['customerId', 'orderItemId'] })
@Check({ name: 'refund_line_quantity', expression: 'quantity > 0' })
@Check({ name: 'refund_line_replaced', expression: 'replaced >= 0 and replaced <= quantity' })
export class RefundLine {
  [PrimaryKeyProp]?: ['customerId', 'refundId', 'orderItemId'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @PrimaryKey({ type: 'uuid' })
  refundId!: string;

  @PrimaryKey({ type: 'uuid' })
  orderItemId!: string;

  @Property({ type: 'integer' })
  quantity!: number;

  /** units that a newer refund returns, as this one had failed */
  @Property({ type: 'integer', default: 0 })
  replaced!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
