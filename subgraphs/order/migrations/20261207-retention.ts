import { Migration } from '@mikro-orm/migrations';

/** Pruning of carts that were abandoned. */
export class Migration20261207Retention extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('create index concurrently cart_idle on cart (updated_at) where not counted');
  }
}
