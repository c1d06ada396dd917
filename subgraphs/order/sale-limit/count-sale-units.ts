import { type Counters, lockedCounters, loweredCounters, raisedCounters } from '../counters.js';

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

const ofCustomers: Counters = {
  table: 'sale_purchase',
  key: ['customer_id', 'sale_id', 'offer_id'],
};
const ofAddresses: Counters = { table: 'sale_address', key: ['sale_id', 'offer_id', 'address'] };

/**
 * CTEs that lock the counters of units of sales, and phone numbers that are used, each in the order of their keys.
 *
 * @param units a CTE with `saleUnitColumns`. @param phones one with `salePhoneColumns`
 * @param after a CTE whose rows are locked first
 */
export const lockedSaleUnits = (units: string, phones: string, after: string) => `
  ${lockedCounters(ofCustomers, units, after, ['units', 'expired_orders'])},
  ${lockedCounters(ofAddresses, units, 'locked_sale_purchase')}, locked_phone as materialized (
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
  ${raisedCounters(ofCustomers, `select * from ${units}`)},
  ${raisedCounters(ofAddresses, `select * from ${units} where address is not null`)}, new_phone as (
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
  ${loweredCounters(ofCustomers, {
    values: {
      units: 'greatest(0, c.units - e.units)',
      expired_orders: 'c.expired_orders + e.expired',
    },
    by: `select customer_id, sale_id, offer_id, sum(quantity) as units, sum(expired) as expired
      from ended_sale_unit where (select count(*) from ${after}) >= 0 group by 1, 2, 3`,
  })},
  ${loweredCounters(ofAddresses, {
    values: { units: 'greatest(0, c.units - e.units)' },
    by: `select sale_id, offer_id, address, sum(quantity) as units from ended_sale_unit
      where address is not null and (select count(*) from locked_sale_purchase) >= 0 group by 1, 2, 3`,
  })}`;
