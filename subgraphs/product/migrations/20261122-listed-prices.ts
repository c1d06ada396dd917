import { Migration } from '@mikro-orm/migrations';

/**
 * A row for a product and currency, of what took a row for each offer: with 10,000 products and 87,000
 * offers the count of what is in stock took 32 ms, of which most went by offers of one product.
 */
export class Migration20261122ListedPrices extends Migration {
  override up(): void {
    this.addSql(`create table listed_price (
      product_id uuid not null,
      currency_code char(3) not null,
      lowest numeric(12,2) not null,
      highest numeric(12,2) not null,
      lowest_in_stock numeric(12,2),
      highest_in_stock numeric(12,2),
      lowest_sold_out numeric(12,2),
      highest_sold_out numeric(12,2),
      primary key (product_id, currency_code)
    )`);
    this.addSql(`alter table listed_price
      add constraint listed_price_range check (lowest <= highest)`);
    this.addSql(`alter table listed_price
      add constraint listed_price_product_id_foreign foreign key (product_id) references product (id)`);
    this.addSql(`insert into listed_price
      select product_id, currency_code, min(price_amount), max(price_amount),
        min(price_amount) filter (where in_stock), max(price_amount) filter (where in_stock),
        min(price_amount) filter (where not in_stock), max(price_amount) filter (where not in_stock)
      from offer_listing where active group by product_id, currency_code`);
    // products by price, each once
    this.addSql(`create index listed_price_lowest
      on listed_price (currency_code, lowest, product_id)`);
    // the same, of what is in stock
    this.addSql(`create index listed_price_lowest_in_stock
      on listed_price (currency_code, lowest_in_stock, product_id) where lowest_in_stock is not null`);
    // the same, of what is sold out
    this.addSql(`create index listed_price_lowest_sold_out
      on listed_price (currency_code, lowest_sold_out, product_id) where lowest_sold_out is not null`);
    // the products of a shop, and which of them its other filters find, without a look at the rows
    this.addSql(`drop index offer_listing_shop`);
    this.addSql(`create index offer_listing_shop
      on offer_listing (shop_id, product_id) include (currency_code, price_amount, in_stock)
      where active`);
  }
}
