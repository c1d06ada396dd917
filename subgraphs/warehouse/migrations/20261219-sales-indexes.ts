import { Migration } from '@mikro-orm/migrations';

const nil = '00000000-0000-0000-0000-000000000000';

export class Migration20261219SalesIndexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    // The next primary key: an order may hold regular units and units of a sale on one level.
    this.addSql(`create unique index concurrently reservation_line_key
      on reservation_line (order_id, shop_id, level_id, sale_id)`);
    // The lines of a sale, for `verify`.
    this.addSql(`create index concurrently reservation_line_sale
      on reservation_line (shop_id, sale_id, level_id) where sale_id <> '${nil}'`);
    // The items whose sale ends: a few of all.
    this.addSql(`create index concurrently stock_item_end_due
      on stock_item (end_due_at) where end_due_at is not null`);
  }
}
