import { Migration } from '@mikro-orm/migrations';

/** Lists with a filter are read by an index that begins with what they filter by. */
export class Migration20261208ListIndexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    // `Shop.orders(status:)`: what a shop has to ship is a few of all orders that it ever had.
    this.addSql(`create index concurrently shop_order_of_shop_status
      on shop_order (shop_id, status, id) where not never_paid`);
  }
}
