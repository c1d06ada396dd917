import { Migration } from '@mikro-orm/migrations';

/** Lists with a filter are read by an index of what they filter by. */
export class Migration20261208ListIndexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    // `transfers(status:)`: the few that are in transit of all that a shop ever made.
    this.addSql(`create index concurrently stock_transfer_status_newest
      on stock_transfer (shop_id, status, id)`);
    // `Warehouse.stockCounts(status:)`: the few that are open.
    this.addSql(`create index concurrently stock_count_status_newest
      on stock_count (shop_id, warehouse_id, status, id)`);
    // `StockShortfall.orders`: lines that are shipped or cancelled leave the index, which all had before.
    this.addSql(`create index concurrently reservation_line_open
      on reservation_line (shop_id, level_id, order_id) where quantity > shipped + cancelled`);
    this.addSql(`drop index concurrently reservation_line_level`);
  }
}
