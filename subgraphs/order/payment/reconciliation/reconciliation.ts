import type { Opt } from '@mikro-orm/core';
import { Check, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../../shared/database/retention.js';

/** The comparison of one day with the provider, some days later. */
@Retained({ keptFor: '400 days', since: 'day', index: 'reconciliation_pkey' })
@Entity({ tableName: 'reconciliation' })
@Check({
  name: 'reconciliation_finished',
  expression: '(finished_at is null) = (differences is null)',
})
export class Reconciliation {
  @PrimaryKey({ type: 'varchar', length: 50 })
  provider!: string;

  /** the day in UTC on which the payments, refunds and disputes were created */
  @PrimaryKey({ type: 'date' })
  day!: string;

  @PrimaryKey({ type: 'integer' })
  daysAfter!: number;

  /** the claim lapses then, and another process may take over */
  @Property({ type: 'timestamptz' })
  claimedUntil!: Date;

  @Property({ type: 'timestamptz', nullable: true })
  finishedAt!: Opt<Date | null>;

  /** the number of differences that the run that finished found */
  @Property({ type: 'integer', nullable: true })
  differences!: Opt<number | null>;
}
