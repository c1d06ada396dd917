import type { Opt } from '@mikro-orm/core';
import { Check, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { Retention } from '../../../shared/database/prune.js';

/** The comparison of one day with the provider, some days later. */
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

const keepDays = 400;

/** There are three rows a day, so no index is needed. */
export const reconciliationRetention: Retention = {
  table: 'reconciliation',
  outdated: `day < current_date - ${keepDays}`,
};
