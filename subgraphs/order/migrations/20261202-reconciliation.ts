import { Migration } from '@mikro-orm/migrations';

/** Each day is compared with the payment provider, by one of many processes. */
export class Migration20261202Reconciliation extends Migration {
  override up(): void {
    this.addSql(`create table reconciliation (
      provider varchar(50) not null,
      day date not null,
      days_after int not null,
      claimed_until timestamptz not null,
      finished_at timestamptz,
      differences int,
      primary key (provider, day, days_after),
      constraint reconciliation_finished check ((finished_at is null) = (differences is null))
    )`);
  }
}
