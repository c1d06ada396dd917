import { Migration } from '@mikro-orm/migrations';

/** `verify` finds what has changed since its last pass by an index. */
export class Migration20261208RecentChanges extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('create index concurrently address_updated on address (updated_at)');
  }
}
