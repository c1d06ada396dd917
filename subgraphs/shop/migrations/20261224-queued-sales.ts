import { Migration } from '@mikro-orm/migrations';

/** Sales with a queue are read once a second. */
export class Migration20261224QueuedSales extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`create index concurrently sale_event_queued on sale_event (ends_at)
      where admission = 'QUEUED' and published_at is not null`);
  }
}
