import { Migration } from '@mikro-orm/migrations';

/** What shops and warehouses tell of their offers; each index says what it is for. */
export class Migration20261121OfferListings extends Migration {
  override up(): void {
    this.addSql(`create table inbox (
      id uuid not null,
      producer text not null,
      topic text not null,
      created_at timestamptz not null default now(),
      primary key (id)
    )`);
    // what may be forgotten
    this.addSql(`create index inbox_created_at on inbox (created_at)`);

    this.addSql(`create table offer_listing (
      shop_id uuid not null,
      sku varchar(64) not null,
      product_id uuid not null,
      offer_id uuid,
      price_amount numeric(12,2),
      currency_code char(3),
      active boolean not null default false,
      offer_version int not null default 0,
      in_stock boolean not null default false,
      stock_version int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (shop_id, sku)
    )`);
    this.addSql(`alter table offer_listing
      add constraint offer_listing_price check (price_amount >= 0)`);
    this.addSql(`alter table offer_listing
      add constraint offer_listing_complete check (not active or (offer_id is not null and price_amount is not null and currency_code is not null))`);
    this.addSql(`alter table offer_listing
      add constraint offer_listing_sku_foreign foreign key (sku) references product_variant (sku)`);
    this.addSql(`alter table offer_listing
      add constraint offer_listing_product_id_foreign foreign key (product_id) references product (id)`);
    // whether a product has an offer as asked for, and which of them is the cheapest
    this.addSql(`create index offer_listing_product
      on offer_listing (product_id, currency_code, price_amount, sku, shop_id) include (in_stock)
      where active`);
    // products by price, and those in a range of prices
    this.addSql(`create index offer_listing_by_price
      on offer_listing (currency_code, price_amount, product_id) where active`);
    // the products of a shop
    this.addSql(`create index offer_listing_shop on offer_listing (shop_id, product_id)
      where active`);
    // the offers of a variant that is removed
    this.addSql(`create index offer_listing_sku on offer_listing (sku)`);
  }
}
