import { Migration } from '@mikro-orm/migrations';

/** Lists of orders leave out those whose stock was never held, and these are found to be deleted. */
export class Migration20261128HeldOrdersIndexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    // A customer's orders, newest first.
    this.addSql(`create index concurrently customer_order_of_customer
      on customer_order (customer_id, id) where number is not null`);
    this.addSql(`drop index concurrently customer_order_customer`);
    // The orders of a shop, newest first.
    this.addSql(`create index concurrently shop_order_of_shop
      on shop_order (shop_id, id) where not never_held`);
    this.addSql(`drop index concurrently shop_order_shop`);
    // Pruning.
    this.addSql(`create index concurrently customer_order_never_held
      on customer_order (created_at) where number is null and status = 'CANCELLED'`);
    // The refunds of a shop order, for its foreign key: a shop order that is deleted must have none.
    this.addSql(`create index concurrently refund_shop_order on refund (shop_order_id)`);
  }
}
