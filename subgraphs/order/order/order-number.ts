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
