import { Directive, Field, Float, Int, ObjectType } from 'type-graphql';
import { saleOffersMax } from '../../contracts/sale.js';
import type * as contract from '../../contracts/shop.js';
import { sql } from '../../shared/database/sql.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { isoSql, pausedMsSql, saleStateSql } from '../sale-window/sale-sql.js';
import { ShopOwner } from '../shop/shop.js';

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'An offer of a sale.' })
export class SaleOfferKey {
  @Field(() => UUID, { description: 'The offer.' })
  offerId!: string;

  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'SKU of the variant.' })
  sku!: string;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'A published sale, without its prices.' })
export class SaleSummary implements contract.SaleSummary {
  @Field(() => UUID, { description: 'The id of the sale.' })
  id!: string;

  @Field(() => String, { description: 'State at `decidedAt`.' })
  state!: contract.PublishedSaleState;

  @Field(() => String, { description: 'Start, ISO 8601.' })
  startsAt!: string;

  @Field(() => String, { description: 'End, ISO 8601.' })
  endsAt!: string;

  @Field(() => String, { description: 'How buyers get into the sale.' })
  admission!: contract.SaleAdmission;

  @Field(() => Int, { description: 'How long an admission lasts, in minutes.' })
  admissionMinutes!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'Customers who are admitted in a minute at most; null for no limit.',
  })
  admissionsPerMinute!: number | null;

  @Field(() => Float, { description: 'How long it was paused in all, in ms, at `decidedAt`.' })
  pausedMs!: number;

  @Field(() => Boolean, { description: 'Whether it is paused, or was when it ended.' })
  isPaused!: boolean;

  @Field(() => String, { description: 'Who may buy in the sale.' })
  eligibility!: contract.SaleEligibility;

  @Field(() => String, {
    nullable: true,
    description: 'Of ACCOUNT_BEFORE: users who registered later may not buy. ISO 8601.',
  })
  accountBefore!: string | null;

  @ListMax(saleOffersMax)
  @Field(() => [ShopOwner], { description: 'The shops of its offers, and its own.' })
  shops!: ShopOwner[];

  @ListMax(saleOffersMax)
  @Field(() => [SaleOfferKey], { description: 'Its offers.' })
  offers!: SaleOfferKey[];

  @Field(() => String, { description: 'Time of this read by the clock of the primary, ISO 8601.' })
  decidedAt!: string;
}

/** Sales that were published; unknown ids and drafts are left out. */
export function readSaleSummaries(
  { em }: Pick<ShopContext, 'em'>,
  ids: readonly string[],
): Promise<SaleSummary[]> {
  return sql<SaleSummary>(
    em,
    `with clock as materialized (select clock_timestamp() as at)
     select e.id, ${saleStateSql('e', 'clock.at')} as state, ${isoSql('e.starts_at')} as "startsAt",
       ${isoSql('e.ends_at')} as "endsAt", e.admission, e.eligibility,
       e.admission_minutes as "admissionMinutes", e.admissions_per_minute as "admissionsPerMinute",
       ${pausedMsSql('e', 'clock.at')} as "pausedMs", e.status = 'PAUSED' as "isPaused",
       ${isoSql('e.account_before')} as "accountBefore", ${isoSql('clock.at')} as "decidedAt",
       coalesce((select jsonb_agg(jsonb_build_object('shopId', shop.id, 'ownerId', shop.owner_id))
         from shop where shop.id = any(array(
           select e.shop_id union select o.shop_id from sale_offer s join offer o on o.id = s.offer_id
           where s.sale_id = e.id))), '[]') as shops,
       coalesce((select jsonb_agg(jsonb_build_object(
           'offerId', o.id, 'shopId', o.shop_id, 'sku', o.sku) order by o.id)
         from sale_offer s join offer o on o.id = s.offer_id where s.sale_id = e.id), '[]') as offers
     from clock cross join sale_event e
     where e.id = any($1::uuid[]) and e.published_at is not null`,
    [ids],
  );
}
