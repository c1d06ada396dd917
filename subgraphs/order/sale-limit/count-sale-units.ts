import { type Counters, lockedCounters, loweredCounters, raisedCounters } from '../counters.js';
import type { PlacingLimit } from '../placing-limit.js';

/** Holds that expired unpaid after which a customer gets no other of the same offer in its sale. */
export const expiredOrdersMax = 2;

const ofCustomers: Counters = {
  table: 'sale_purchase',
  key: ['customer_id', 'sale_id', 'offer_id'],
};
const ofAddresses: Counters = { table: 'sale_address', key: ['sale_id', 'offer_id', 'address'] };

/** Units of an offer that a customer may buy in its sale, and how many holds of it may expire unpaid. */
export const saleUnitLimit: PlacingLimit = {
  rows: {
    sale_unit: {
      ...{
        customer_id: 'uuid',
        order_id: 'uuid',
        sale_id: 'uuid',
        offer_id: 'uuid',
        quantity: 'int',
      },
      limit_per_customer: 'int',
      /** whether the sale has a queue, to whose end a customer goes who did not pay in time */
      is_queued: 'boolean',
    },
  },
  locked: 'locked_sale_purchase',
  lock: (after) => lockedCounters(ofCustomers, 'sale_unit', after, ['units', 'expired_orders']),
  violations: `
    select order_id, 'SALE_PURCHASES', offer_id, sale_id, coalesce(units, 0), limit_per_customer
    from sale_unit left join locked_sale_purchase using (customer_id, sale_id, offer_id)
    where coalesce(units, 0) + quantity > limit_per_customer
    union all
    select order_id, 'EXPIRED_ORDERS', offer_id, sale_id, expired_orders, ${expiredOrdersMax}
    from sale_unit join locked_sale_purchase using (customer_id, sale_id, offer_id)
    where expired_orders >= ${expiredOrdersMax} and not is_queued`,
  count: raisedCounters(ofCustomers, 'placed_sale_unit'),
};

/** Units of an offer in its sale that may be shipped to one address. */
export const addressLimit: PlacingLimit = {
  rows: {
    sale_address_unit: {
      ...{ order_id: 'uuid', sale_id: 'uuid', offer_id: 'uuid', address: 'text', quantity: 'int' },
      address_limit: 'int',
    },
  },
  locked: 'locked_sale_address',
  lock: (after) => lockedCounters(ofAddresses, 'sale_address_unit', after),
  violations: `
    select order_id, 'ADDRESS', offer_id, sale_id, coalesce(units, 0), address_limit
    from sale_address_unit left join locked_sale_address using (sale_id, offer_id, address)
    where coalesce(units, 0) + quantity > address_limit`,
  count: raisedCounters(ofAddresses, 'placed_sale_address_unit'),
};

/** The customer who may buy in a sale with a phone number: the first one. */
export const phoneLimit: PlacingLimit = {
  rows: {
    sale_phone_claim: { sale_id: 'uuid', phone: 'text', customer_id: 'uuid', order_id: 'uuid' },
  },
  locked: 'locked_phone',
  lock: (after) => `locked_phone as materialized (
    select p.sale_id, p.phone, p.customer_id
    from sale_phone p join sale_phone_claim using (sale_id, phone)
    where (select count(*) from ${after}) >= 0
    order by p.sale_id, p.phone for update of p
  )`,
  violations: `
    select c.order_id, 'PHONE', null, c.sale_id, 1, 1
    from sale_phone_claim c join locked_phone p using (sale_id, phone)
    where p.customer_id <> c.customer_id`,
  count: `new_phone as (
    insert into sale_phone (sale_id, phone, customer_id, order_id)
    select sale_id, phone, customer_id, order_id from placed_sale_phone_claim
    where (sale_id, phone) not in (select sale_id, phone from locked_phone)
    order by sale_id, phone
  )`,
};

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
