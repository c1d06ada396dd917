import { Migration } from '@mikro-orm/migrations';

/** The tables of the first slice; each index says what it is for. */
export class Migration20261121Spine extends Migration {
  override up(): void {
    this.addSql(`create table shop (
      id uuid not null,
      name varchar(255) not null,
      slug varchar(300) not null,
      owner_id uuid not null,
      currency_code char(3) not null default 'USD',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    this.addSql(`alter table shop
      add constraint shop_slug unique (slug)`);
    // the shops of a vendor
    this.addSql(`create index shop_owner on shop (owner_id)`);
    this.addSql(`create table offer (
      id uuid not null,
      shop_id uuid not null,
      sku varchar(64) not null,
      name varchar(520) not null,
      price_amount numeric(12,2) not null,
      currency_code char(3) not null,
      active boolean not null default true,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // filters and sorts by price
    this.addSql(`create index offer_price on offer (price_amount)`);
    // the offers of a variant, the cheapest first
    this.addSql(`create index offer_sku_price on offer (sku, price_amount)`);
    this.addSql(`alter table offer
      add constraint offer_shop_sku unique (shop_id, sku)`);
    this.addSql(`alter table offer
      add constraint offer_price_not_negative check (price_amount >= 0)`);
    this.addSql(`alter table offer
      add constraint offer_shop_id_foreign foreign key (shop_id) references shop (id)`);
  }
}
