import { Migration } from '@mikro-orm/migrations';

/** What each customer has bought, against the offers' purchase limits. */
export class Migration20261124Purchases extends Migration {
  override up(): void {
    // its key leads from a customer's line to the counter, and is what parallel checkouts wait at
    this.addSql(`create table purchase (
      customer_id uuid not null,
      shop_id uuid not null,
      sku varchar(64) not null,
      units bigint not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (customer_id, shop_id, sku)
    )`);
    this.addSql(`alter table purchase
      add constraint purchase_units check (units >= 0)`);
    this.addSql(`insert into purchase (customer_id, shop_id, sku, units)
      select o.customer_id, s.shop_id, i.sku, sum(i.quantity)
      from customer_order o join shop_order s on s.order_id = o.id
        join order_item i on i.shop_order_id = s.id
      where s.status <> 'CANCELLED' group by 1, 2, 3`);
  }
}
