import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Admissions: those whose order ended, those that orders were placed with, and the queues that admit. */
export class Migration20261224Admission extends Migration {
  override up(): void {
    this.addSql(`alter table sale_ticket add column returned_xid xid8`);
    this.addSql(`alter table order_item add column admitted_at timestamptz(3),
      add column admission_ends_at timestamptz(3)`);
    // Queues that may admit, or are to be ended.
    this.addSql(`create index ${noRelease} sale_queue_open on sale_queue (starts_at)
      where ended_at is null`);
  }
}
