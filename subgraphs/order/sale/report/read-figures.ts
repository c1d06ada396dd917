import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';

/** What the orders of a sale say. */
export interface OrderFigures {
  /** units of orders that were not paid in time */
  readonly expired: number;
  /** price of the paid units that are not cancelled, by currency */
  readonly revenue: readonly { readonly currencyCode: string; readonly amount: string }[];
  /** offer → units that were ever paid */
  readonly paidUnits: Readonly<Record<string, number>>;
  /** units of the account that holds or has bought most */
  readonly largestUnits: number;
  readonly medianSecondsToPay: number | null;
}

/** A sale, and those of its offers that are meant. */
export interface OffersOfSale {
  readonly saleId: string;
  readonly offerIds: readonly string[];
}

const nothing: OrderFigures = {
  expired: 0,
  revenue: [],
  paidUnits: {},
  largestUnits: 0,
  medianSecondsToPay: null,
};

/** Reads the figures of several sales in one statement, each once. */
export async function readFigures(
  em: EntityManager,
  requested: readonly OffersOfSale[],
): Promise<OrderFigures[]> {
  const request = requested.flatMap(({ saleId, offerIds }, n) =>
    offerIds.map((offer_id) => ({ n, sale_id: saleId, offer_id })),
  );
  if (request.length === 0) return requested.map(() => nothing);
  const values = parameters.values({ request });
  const rows = await sqlPrepared<OrderFigures & { n: number }>(em, figuresSql, values);
  const found = new Map(rows.map(({ n, ...figures }) => [n, figures]));
  return requested.map((_, n) => found.get(n) ?? nothing);
}

const parameters = namedParameters({ request: { n: 'int', sale_id: 'uuid', offer_id: 'uuid' } });

// By order_item_sale, the keys of shop_order and customer_order, and payment_order.
const figuresSql = `
  with request as materialized (
    select * from ${parameters.sql.request}
  ), item as materialized (
    select i.* from (select distinct sale_id from request) sale
      join order_item i on i.sale_id = sale.sale_id
  ), line as materialized (
    select r.n, i.customer_id, o.id as order_id, o.created_at, i.offer_id, i.currency_code, i.unit_price_amount,
      i.quantity, i.cancelled_quantity, s.never_paid, o.cancel_reason,
      o.status <> 'PENDING' and not s.never_paid as is_paid
    from item i
      join request r on r.sale_id = i.sale_id and r.offer_id = i.offer_id
      join shop_order s on s.customer_id = i.customer_id and s.id = i.shop_order_id
      join customer_order o on o.customer_id = s.customer_id and o.id = s.order_id
  ), by_offer as (
    select n, jsonb_object_agg(offer_id, units) as units from (
      select n, offer_id, sum(quantity) as units from line where is_paid group by n, offer_id
    ) sold group by n
  ), by_currency as (
    select n, jsonb_agg(jsonb_build_object('currencyCode', currency_code, 'amount', amount::text)
      order by currency_code) as amounts
    from (
      select n, currency_code, sum(unit_price_amount * (quantity - cancelled_quantity)) as amount
      from line where is_paid group by n, currency_code
    ) paid group by n
  ), by_account as (
    select n, max(units) as largest from (
      select n, customer_id, sum(quantity) as units from line where not never_paid group by n, customer_id
    ) account group by n
  ), to_pay as (
    select n, percentile_cont(0.5) within group (order by seconds) as median from (
      select paid.n, extract(epoch from p.created_at - paid.created_at)::float8 as seconds
      from (select distinct n, customer_id, order_id, created_at from line where is_paid) paid
        join payment p on p.customer_id = paid.customer_id and p.order_id = paid.order_id
      where p.status in ('COMPLETED', 'REFUNDED')
    ) duration group by n
  ), by_sale as (
    select n, coalesce(sum(quantity) filter (where never_paid and cancel_reason = 'PAYMENT_TIMEOUT'), 0)::int
      as expired
    from line group by n
  )
  select n, s.expired, coalesce(c.amounts, '[]') as revenue, coalesce(o.units, '{}') as "paidUnits",
    coalesce(a.largest, 0)::int as "largestUnits", t.median as "medianSecondsToPay"
  from by_sale s left join by_currency c using (n) left join by_offer o using (n)
    left join by_account a using (n) left join to_pay t using (n)`;
