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
 * CTEs that count units of sales for their customers and addresses, and claim phone numbers. Each locks its rows in the
 * order of their keys, after those of the CTE before it.
 *
 * @param units a set of rows with `saleUnitColumns`. @param phones one with `salePhoneColumns`
 * @param after a CTE whose rows are locked first
 */
export const raiseSaleUnitsCtes = (units: string, phones: string, after: string) => `
  sale_unit as materialized (select * from ${units}),
  raised_sale_purchase as (
    insert into sale_purchase as p (customer_id, sale_id, offer_id, units)
    select customer_id, sale_id, offer_id, quantity from sale_unit
    where (select count(*) from ${after}) >= 0
    order by customer_id, sale_id, offer_id
    on conflict (customer_id, sale_id, offer_id) do update
      set units = p.units + excluded.units, updated_at = now()
    returning customer_id, sale_id, offer_id, units, expired_orders
  ), raised_sale_address as (
    insert into sale_address as a (sale_id, offer_id, address, units)
    select sale_id, offer_id, address, quantity from sale_unit
    where address is not null and (select count(*) from raised_sale_purchase) >= 0
    order by sale_id, offer_id, address
    on conflict (sale_id, offer_id, address) do update
      set units = a.units + excluded.units, updated_at = now()
    returning sale_id, offer_id, address, units
  ), claimed_phone as (
    insert into sale_phone as p (sale_id, phone, customer_id, order_id)
    select sale_id, phone, customer_id, order_id from ${phones}
    where (select count(*) from raised_sale_address) >= 0
    order by sale_id, phone
    on conflict (sale_id, phone) do update set customer_id = p.customer_id
    returning sale_id, phone, customer_id
  )`;

/**
 * CTEs that subtract units of sales of orders that ended unpaid, and delete counters of nothing. All rows are locked
 * first: those of customers need no order, as whoever changes them holds the lock of their `customer_hold`.
 *
 * @param units a query with `customer_id`, `sale_id`, `offer_id`, `address`, `quantity`, and `expired`, the number of
 *   orders that were held and not paid in time
 * @param after a CTE whose rows are locked first
 */
export const lowerSaleUnitsCtes = (units: string, after: string) => `
  ended_sale_unit as materialized (${units}),
  locked_sale_purchase as materialized (
    select p.customer_id, p.sale_id, p.offer_id, greatest(0, p.units - e.units) as units,
      p.expired_orders + e.expired as expired_orders
    from (
      select customer_id, sale_id, offer_id, sum(quantity) as units, sum(expired) as expired
      from ended_sale_unit where (select count(*) from ${after}) >= 0 group by 1, 2, 3) e
      join sale_purchase p using (customer_id, sale_id, offer_id)
    for update of p
  ), lowered_sale_purchase as (
    update sale_purchase p set units = l.units, expired_orders = l.expired_orders, updated_at = now()
    from locked_sale_purchase l
    where p.customer_id = l.customer_id and p.sale_id = l.sale_id and p.offer_id = l.offer_id
      and l.units + l.expired_orders > 0
  ), deleted_sale_purchase as (
    delete from sale_purchase p using locked_sale_purchase l
    where p.customer_id = l.customer_id and p.sale_id = l.sale_id and p.offer_id = l.offer_id
      and l.units + l.expired_orders = 0
  ), locked_sale_address as materialized (
    select a.sale_id, a.offer_id, a.address, a.units - e.units as units
    from (
      select sale_id, offer_id, address, sum(quantity) as units
      from ended_sale_unit
      where address is not null and (select count(*) from locked_sale_purchase) >= 0
      group by 1, 2, 3) e
      join sale_address a using (sale_id, offer_id, address)
    order by a.sale_id, a.offer_id, a.address for update of a
  ), lowered_sale_address as (
    update sale_address a set units = l.units, updated_at = now()
    from locked_sale_address l
    where a.sale_id = l.sale_id and a.offer_id = l.offer_id and a.address = l.address
      and l.units > 0
  ), deleted_sale_address as (
    delete from sale_address a using locked_sale_address l
    where a.sale_id = l.sale_id and a.offer_id = l.offer_id and a.address = l.address
      and l.units <= 0
  )`;
