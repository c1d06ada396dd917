import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/**
 * The order of a number. It keeps numbers unique in a table of its own, as its key is on another shard than the
 * order.
 */
@Retained({ permanently: 'keeps numbers unique for as long as the orders are kept' })
@Entity({ tableName: 'numbered_order' })
export class NumberedOrder {
  [PrimaryKeyProp]?: 'number';

  @PrimaryKey({ type: 'varchar', length: 20 })
  number!: string;

  @Property({ type: 'uuid' })
  customerId!: string;

  @Property({ type: 'uuid' })
  orderId!: string;
}

/**
 * SQL that takes the next value for the number of an order, once per row. Take it in a CTE: a subquery
 * of an update is evaluated once for all rows. A value that is not used leaves a gap.
 */
export const nextNumberSql = `nextval('order_number')`;

/**
 * SQL for the number of an order: `H` and at least 8 digits. `lpad` alone would cut a longer value to 8.
 *
 * @param value of the sequence
 */
export const orderNumberSql = (value: string) =>
  `'H' || lpad(${value}::text, greatest(8, length(${value}::text)), '0')`;

/**
 * SQL that stores the orders of numbers, in the statement that assigns them.
 *
 * @param orders a CTE with `customer_id`, `id` and `number`
 * @param changes a CTE with `customer_id`, `id`, and a `number_value` where a number is assigned
 */
export const storeNumbersSql = (orders: string, changes: string) => `
    insert into numbered_order (number, customer_id, order_id)
    select o.number, o.customer_id, o.id
    from ${orders} o join ${changes} c on c.customer_id = o.customer_id and c.id = o.id
    where c.number_value is not null`;
