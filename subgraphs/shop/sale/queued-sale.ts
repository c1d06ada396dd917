import { Directive, Field, Float, Int, ObjectType } from 'type-graphql';
import * as contract from '../../contracts/shop.js';
import { sql } from '../../shared/database/sql.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { isoSql, pausedMsSql, saleStateSql } from '../sale-window/sale-sql.js';

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'A published sale with a queue.' })
export class QueuedSale implements contract.QueuedSale {
  @Field(() => UUID, { description: 'The id of the sale.' })
  id!: string;

  @Field(() => String, { description: 'Current state.' })
  state!: contract.PublishedSaleState;

  @Field(() => String, { description: 'Start, ISO 8601.' })
  startsAt!: string;

  @Field(() => String, { description: 'End, ISO 8601.' })
  endsAt!: string;

  @Field(() => String, { description: 'QUEUED.' })
  admission!: contract.SaleAdmission;

  @Field(() => Int, { description: 'How long an admission lasts, in minutes.' })
  admissionMinutes!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'Customers who are admitted in a minute at most; null for no limit.',
  })
  admissionsPerMinute!: number | null;

  @Field(() => Float, { description: 'How long it was paused in all, in ms.' })
  pausedMs!: number;

  @Field(() => String, { description: 'Who may buy in the sale.' })
  eligibility!: contract.SaleEligibility;

  @Field(() => String, {
    nullable: true,
    description: 'Of ACCOUNT_BEFORE: users who registered later may not buy. ISO 8601.',
  })
  accountBefore!: string | null;
}

/** Published sales with a queue that are not over for more than an hour; served by `sale_event_queued`. */
export function readQueuedSales({ em }: Pick<ShopContext, 'em'>): Promise<QueuedSale[]> {
  return sql<QueuedSale>(
    em,
    `select e.id, ${saleStateSql('e', 'clock_timestamp()')} as state,
       ${isoSql('e.starts_at')} as "startsAt", ${isoSql('e.ends_at')} as "endsAt", e.admission,
       e.admission_minutes as "admissionMinutes", e.admissions_per_minute as "admissionsPerMinute",
       ${pausedMsSql('e', 'clock_timestamp()')} as "pausedMs", e.eligibility, ${isoSql('e.account_before')} as "accountBefore"
     from sale_event e
     where e.admission = 'QUEUED' and e.published_at is not null
       and e.ends_at > now() - interval '1 h'
     order by e.ends_at limit ${contract.queuedSalesMax}`,
  );
}
