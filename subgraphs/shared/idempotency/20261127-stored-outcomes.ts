import { Migration } from '@mikro-orm/migrations';

/** The table of `StoredOutcome`, in the database of each subgraph. Like all migrations it is never edited. */
export class Migration20261127StoredOutcomes extends Migration {
  override up(): void {
    this.addSql(`create table stored_outcome (
      user_id uuid,
      operation text,
      key text,
      fingerprint text not null,
      outcome jsonb,
      created_at timestamptz not null default now(),
      primary key (user_id, operation, key)
    )`);
    // Pruning.
    this.addSql('create index stored_outcome_created_at on stored_outcome (created_at)');
  }
}
