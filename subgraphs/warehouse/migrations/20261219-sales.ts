import { Migration } from '@mikro-orm/migrations';

const nil = '00000000-0000-0000-0000-000000000000';

/** Sales set units of items aside: docs/stock.md. */
export class Migration20261219Sales extends Migration {
  override up(): void {
    this.addSql(`create table sale_allocation (
      shop_id uuid not null,
      sale_id uuid not null,
      revision int not null,
      ends_at timestamptz(3) not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (shop_id, sale_id))`);
    // What `verify` checks again.
    this.addSql(`create index sale_allocation_updated on sale_allocation (updated_at)`);
    this.addSql(`create table sale_item (
      shop_id uuid not null,
      sale_id uuid not null,
      sku varchar(64) not null,
      allocated int not null,
      held int not null default 0,
      sold int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (shop_id, sale_id, sku),
      constraint sale_item_allocated check (held >= 0 and sold >= 0 and held + sold <= allocated))`);
    // The units of a sale in all shops.
    this.addSql(`create index sale_item_sale on sale_item (sale_id)`);
    this.addSql(`alter table stock_item add column sale_id uuid,
      add column set_aside int not null default 0,
      add column set_aside_until timestamptz(3),
      add column end_due_at timestamptz(3)`);
    this.addSql(`alter table stock_item add constraint stock_item_set_aside
      check (set_aside >= 0) not valid`);
    this.addSql(`alter table stock_item add constraint stock_item_sale
      check ((sale_id is null) = (set_aside_until is null) and (sale_id is not null or set_aside = 0))
      not valid`);
    this.addSql(`alter table reservation_line add column sale_id uuid not null default '${nil}'`);
  }
}
