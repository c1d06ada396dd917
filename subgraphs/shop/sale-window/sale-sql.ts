/**
 * SQL for the state of a sale at a time.
 *
 * @param sale alias of a row of `sale_event`
 * @param at SQL for the time, by PostgreSQL's clock
 */
export const saleStateSql = (sale: string, at: string): string => `case
    when ${sale}.status in ('PUBLISHED', 'PAUSED') then case
      when ${at} >= ${sale}.ends_at then 'ENDED'
      when ${sale}.status = 'PAUSED' then 'PAUSED'
      when ${at} >= ${sale}.starts_at then 'LIVE'
      else 'SCHEDULED' end
    else ${sale}.status end`;

/** SQL for how long a sale has been paused in all until a time, or until its end, in ms. */
export const pausedMsSql = (sale: string, at: string): string => `(
    select coalesce(floor(sum(extract(epoch from
      coalesce(p.resumed_at, greatest(least(${at}, ${sale}.ends_at), p.paused_at)) - p.paused_at)) * 1000), 0)
    from sale_pause p where p.sale_id = ${sale}.id)::float8`;

/** SQL for whether a sale is published, and neither ended nor cancelled. */
export const isOpenSql = (sale: string, at = 'now()'): string =>
  `${sale}.status in ('PUBLISHED', 'PAUSED') and ${sale}.ends_at > ${at}`;

/** SQL for whether a sale has its offers to itself: it is being published, or `isOpenSql`. */
export const hasOffersSql = (sale: string, at = 'now()'): string =>
  `${sale}.status in ('PUBLISHING', 'PUBLISHED', 'PAUSED') and ${sale}.ends_at > ${at}`;

/** SQL that joins to a row `offer` the sale in which it is sold now, as `live_offer`. */
export const liveSaleJoins = (join: 'join' | 'left join'): string =>
  `${join} sale_event as live_event on live_event.id = offer.sale_id
    and live_event.status = 'PUBLISHED'
    and live_event.starts_at <= now() and live_event.ends_at > now()
  ${join} sale_offer as live_offer
    on live_offer.sale_id = live_event.id and live_offer.offer_id = offer.id`;

/** SQL, with `liveSaleJoins`, for the price at which an offer is sold now. */
export const currentPriceSql = 'coalesce(live_offer.price_amount, offer.price_amount)';

/** SQL for a time as ISO 8601 in UTC, with milliseconds. */
export const isoSql = (time: string): string =>
  `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
