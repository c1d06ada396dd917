import { Migration } from '@mikro-orm/migrations';

/** The index of orders that are not held is by id, as ids rise with time and orders are changed by id. */
export class Migration20261126NotHeld extends Migration {
  override up(): void {
    this.addSql(`drop index customer_order_not_held`);
    // checkouts that stopped half-way. By id: PostgreSQL takes it, too, for the change of one order by
    // its id, and by another column would read all that were placed since the last vacuum
    this.addSql(`create index customer_order_not_held on customer_order (id)
      where status = 'PENDING' and expires_at is null`);
  }
}
