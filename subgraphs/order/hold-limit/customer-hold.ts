import type { Opt } from '@mikro-orm/core';
import { Check, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/** What a customer holds unpaid: the PENDING orders, and their units of each offer. */
@Retained({
  permanently:
    'one row for each customer; an index of those that hold nothing would be written by each order',
})
@Entity({ tableName: 'customer_hold' })
@Check({ name: 'customer_hold_open_orders', expression: 'open_orders >= 0' })
export class CustomerHold {
  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Property({ type: 'integer' })
  openOrders!: number;

  /** units by offer; none of 0 */
  @Property({ type: 'jsonb' })
  openUnits!: Readonly<Record<string, number>>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
