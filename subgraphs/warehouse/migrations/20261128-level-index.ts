import { Migration } from '@mikro-orm/migrations';

/** Levels of a shop’s variant: its warehouses may be many, and other shops may sell it as well. */
export class Migration20261128LevelIndex extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('create index concurrently stock_level_item on stock_level (shop_id, sku)');
  }
}
