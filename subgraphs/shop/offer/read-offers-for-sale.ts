import { listOf, sqlPrepared } from '../../shared/database/sql.js';
import type { ShopContext } from '../context.js';
import { isOpenSql, isoSql, pausedMsSql, saleStateSql } from '../sale-window/sale-sql.js';
import type { OfferForSale } from './offer-for-sale.js';

/**
 * Offers with the sales that they are in. The clock is read once, after the snapshot of the statement: a window is
 * decided by what the row was at `decidedAt` or before.
 */
export async function readOffersForSale(
  { em }: Pick<ShopContext, 'em'>,
  ids: readonly string[],
): Promise<OfferForSale[]> {
  return sqlPrepared<OfferForSale>(
    em,
    `with clock as materialized (select clock_timestamp() as at)
     select o.id, o.shop_id as "shopId", o.sku, o.name, o.price_amount as "priceAmount",
       o.currency_code as "currencyCode", o.purchase_limit as "purchaseLimit", o.active,
       o.hold_limit as "holdLimit", ${isoSql('clock.at')} as "decidedAt",
       case when e.id is null or s.offer_id is null then null else jsonb_build_object(
         'id', e.id, 'state', ${saleStateSql('e', 'clock.at')}, 'priceAmount', s.price_amount::text,
         'limitPerCustomer', s.limit_per_customer, 'startsAt', ${isoSql('e.starts_at')},
         'endsAt', ${isoSql('e.ends_at')}, 'holdMinutes', e.hold_minutes, 'admission', e.admission,
         'admissionMinutes', e.admission_minutes, 'admissionsPerMinute', e.admissions_per_minute,
         'pausedMs', case when e.admission = 'QUEUED' then ${pausedMsSql('e', 'clock.at')} else 0 end,
         'eligibility', e.eligibility, 'accountBefore', ${isoSql('e.account_before')},
         'whenSoldOut', s.when_sold_out) end as sale
     from clock cross join offer o
       left join sale_event e on e.id = o.sale_id and ${isOpenSql('e', 'clock.at')}
       left join sale_offer s on s.sale_id = e.id and s.offer_id = o.id
     where o.id = any(${listOf(1, 'uuid')})`,
    [ids],
  );
}
