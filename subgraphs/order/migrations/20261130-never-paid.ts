import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** A shop sees nothing of an order that ended before it was paid, whether or not its stock was held. */
export class Migration20261130NeverPaid extends Migration {
  override up(): void {
    this.addSql(`alter table shop_order ${noRelease} rename never_held to never_paid`);
    this.addSql(`update shop_order s ${noRelease} set never_paid = true
      where status = 'CANCELLED' and not never_paid and not exists (
        select from order_event e where e.order_id = s.order_id and e.type = 'CONFIRMED')`);
  }
}
