import { Migration } from '@mikro-orm/migrations';

/** What lists of products are searched, filtered and sorted by; each index says what it is for. */
export class Migration20261121Listing extends Migration {
  override up(): void {
    this.addSql(`create extension if not exists pg_trgm`);
    // Words as they stand, for prefixes, and their English stems: in names (A), in descriptions (C).
    this.addSql(`alter table product add column search tsvector
      generated always as (
        setweight(to_tsvector('simple'::regconfig, name::text), 'A') ||
        setweight(to_tsvector('english'::regconfig, name::text), 'A') ||
        setweight(to_tsvector('simple'::regconfig, description), 'C') ||
        setweight(to_tsvector('english'::regconfig, description), 'C')) stored`);
    // search by words and beginnings of words
    this.addSql(`create index product_search on product using gin (search)`);
    // the catalogue by name
    this.addSql(`create index product_by_name on product (lower(name::text), id)
      where deleted_at is null`);

    this.addSql(`create table search_word (
      word text collate "C" not null,
      created_at timestamptz not null default now(),
      primary key (word)
    )`);
    // words that resemble one that stands nowhere
    this.addSql(`create index search_word_similar on search_word using gist (word gist_trgm_ops)`);
    // Lexemes come sorted, so that two products made at once do not wait for one another's words.
    this.addSql(`create function product_product_words_fn() returns trigger as
      $$ begin
        insert into search_word (word)
        select lexeme from unnest(tsvector_to_array(new.search)) as lexeme
        where length(lexeme) between 3 and 40
        on conflict do nothing;
        return null;
      end; $$ language plpgsql`);
    this.addSql(`create trigger product_words after insert or update on product
      for each row execute function product_product_words_fn()`);

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
