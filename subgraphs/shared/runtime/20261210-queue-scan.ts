import { Migration } from '@mikro-orm/migrations';

/** `scanned_at` was set before the look, whether or not it succeeded. */
export class Migration20261210QueueScan extends Migration {
  override up(): void {
    this.addSql(`alter table queue_mark add scan_ended_at timestamptz not null default now()`);
  }
}
