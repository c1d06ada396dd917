import { Migration } from '@mikro-orm/migrations';

/** What the metrics of the outbox look for. */
export class Migration20261121StockEngine extends Migration {
  override up(): void {
    // dead letters, of which there should be none
    this.addSql(`create index outbox_dead on outbox (dead_at) where dead_at is not null`);
  }
}
