import { Migration } from '@mikro-orm/migrations';

/** Lists with a filter are read by an index of what they filter by. */
export class Migration20261208ListIndexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    // `Shop.offers` for everybody but the owner: also of a shop that has deactivated nearly all of them.
    this.addSql(`create index concurrently offer_shop_active on offer (shop_id, id) where active`);
  }
}
