/**
 * SQL for an order that waits for payment, for what reads all of them, by `customer_order_pending`. With the plain
 * condition PostgreSQL, which expects few of them after each vacuum, would use that index for the change of one
 * order, too, and read all that are pending.
 */
export const isWaitingSql = `case status when 'PENDING' then true else false end`;
