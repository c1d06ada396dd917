import { lowerCountersCtes } from '../lower-counters.js';

/** Columns of the units of one offer that an order buys in a sale. */
export const saleUnitColumns = {
  customer_id: 'uuid',
  order_id: 'uuid',
  sale_id: 'uuid',
  offer_id: 'uuid',
  quantity: 'int',
  limit_per_customer: 'int',
  /** null: not counted by address */
  address: 'text',
  address_limit: 'int',
  /** whether the sale has a queue, to whose end a customer goes who did not pay in time */
  is_queued: 'boolean',
} as const;

/** Columns of a phone number that an order needs in a sale. */
export const salePhoneColumns = {
  sale_id: 'uuid',
  phone: 'text',
  customer_id: 'uuid',
  order_id: 'uuid',
} as const;

/** Holds that expired unpaid after which a customer gets no other of the same offer in its sale. */
export const expiredOrdersMax = 2;

/**
 * CTEs that lock the counters of units of sales, and phone numbers that are used, each in the order of their keys.
 *
 * @param units a CTE with `saleUnitColumns`. @param phones one with `salePhoneColumns`
 * @param after a CTE whose rows are locked first
 */
export const lockedSaleUnits = (units: string, phones: string, after: string) => `
  locked_sale_purchase as materialized (
    select p.customer_id, p.sale_id, p.offer_id, p.units, p.expired_orders
    from sale_purchase p join ${units} using (customer_id, sale_id, offer_id)
    where (select count(*) from ${after}) >= 0
    order by p.customer_id, p.sale_id, p.offer_id for update of p
  ), locked_sale_address as materialized (
    select a.sale_id, a.offer_id, a.address, a.units
    from sale_address a join ${units} using (sale_id, offer_id, address)
    where (select count(*) from locked_sale_purchase) >= 0
    order by a.sale_id, a.offer_id, a.address for update of a
  ), locked_phone as materialized (
    select p.sale_id, p.phone, p.customer_id
    from sale_phone p join ${phones} using (sale_id, phone)
    where (select count(*) from locked_sale_address) >= 0
    order by p.sale_id, p.phone for update of p
  )`;

/**
 * CTEs that count units of sales for their customers and addresses, and claim phone numbers, in rows of
 * `lockedSaleUnits` or new ones.
 *
 * @param units a CTE with `saleUnitColumns`. @param phones one with `salePhoneColumns`
 */
export const raiseSaleUnitsCtes = (units: string, phones: string) => `
  raised_sale_purchase as (
    update sale_purchase p set units = l.units + n.quantity, updated_at = now()
    from ${units} n join locked_sale_purchase l using (customer_id, sale_id, offer_id)
    where p.customer_id = n.customer_id and p.sale_id = n.sale_id and p.offer_id = n.offer_id
  ), new_sale_purchase as (
    insert into sale_purchase (customer_id, sale_id, offer_id, units)
    select customer_id, sale_id, offer_id, quantity from ${units}
    where (customer_id, sale_id, offer_id)
      not in (select customer_id, sale_id, offer_id from locked_sale_purchase)
    order by customer_id, sale_id, offer_id
  ), raised_sale_address as (
    update sale_address a set units = l.units + n.quantity, updated_at = now()
    from ${units} n join locked_sale_address l using (sale_id, offer_id, address)
    where a.sale_id = n.sale_id and a.offer_id = n.offer_id and a.address = n.address
  ), new_sale_address as (
    insert into sale_address (sale_id, offer_id, address, units)
    select sale_id, offer_id, address, quantity from ${units}
    where address is not null
      and (sale_id, offer_id, address) not in (select sale_id, offer_id, address from locked_sale_address)
    order by sale_id, offer_id, address
  ), new_phone as (
    insert into sale_phone (sale_id, phone, customer_id, order_id)
    select sale_id, phone, customer_id, order_id from ${phones}
    where (sale_id, phone) not in (select sale_id, phone from locked_phone)
    order by sale_id, phone
  )`;

/**
 * CTEs that subtract units of sales of orders that ended unpaid, of customers and then of addresses.
 *
 * @param units a query with `customer_id`, `sale_id`, `offer_id`, `address`, `quantity`, and `expired`, the number of
 *   orders that were held and not paid in time
 * @param after a CTE whose rows are locked first
 */
export const lowerSaleUnitsCtes = (units: string, after: string) => `
  ended_sale_unit as materialized (${units}),
  ${lowerCountersCtes({
    table: 'sale_purchase',
    key: ['customer_id', 'sale_id', 'offer_id'],
    values: {
      units: 'greatest(0, c.units - e.units)',
      expired_orders: 'c.expired_orders + e.expired',
    },
    by: `select customer_id, sale_id, offer_id, sum(quantity) as units, sum(expired) as expired
      from ended_sale_unit where (select count(*) from ${after}) >= 0 group by 1, 2, 3`,
  })},
  ${lowerCountersCtes({
    table: 'sale_address',
    key: ['sale_id', 'offer_id', 'address'],
    values: { units: 'greatest(0, c.units - e.units)' },
    by: `select sale_id, offer_id, address, sum(quantity) as units from ended_sale_unit
      where address is not null and (select count(*) from locked_sale_purchase) >= 0 group by 1, 2, 3`,
  })}`;
