import { Migration } from '@mikro-orm/migrations';

/** Pruning of reservations that are done. */
export class Migration20261207RetentionIndexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(
      'create index concurrently reservation_done on reservation (done_at) where done_at is not null',
    );
  }
}
