import { Migration } from '@mikro-orm/migrations';
import { inboxDdl, initialSeparateWordsSql, outboxDdl } from '../../shared/database/initial-ddl.js';

/** The tables of the first version. This migration is never edited. */
export class Migration20261127Initial extends Migration {
  override up(): void {
    this.addSql(`create extension if not exists pg_trgm`);
    for (const statement of [...outboxDdl(), ...inboxDdl()]) this.addSql(statement);
    this.#createCatalogue();
    this.#createSearchWords();
    this.#createOfferListings();
  }

  #createCatalogue(): void {
    this.addSql(`create table category (
      id uuid primary key,
      name varchar(255) not null,
      slug varchar(255) not null,
      parent_id uuid,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint category_slug unique (slug),
      constraint category_parent_id_foreign foreign key (parent_id) references category (id),
      constraint category_parent_differs check (parent_id <> id),
      constraint category_name_not_empty check (name <> '')
    )`);
    // The children of a category.
    this.addSql(`create index category_parent on category (parent_id)`);

    // Words as they are, for prefixes, and their English stems: in names (A), in descriptions (C).
    this.addSql(`create table product (
      id uuid primary key,
      name varchar(255) not null,
      slug varchar(300) not null,
      description text not null,
      category_id uuid not null,
      images text[] not null,
      created_by_id uuid not null,
      deleted_at timestamptz,
      search tsvector generated always as (
        setweight(to_tsvector('simple', ${initialSeparateWordsSql('name')}), 'A') ||
        setweight(to_tsvector('english', ${initialSeparateWordsSql('name')}), 'A') ||
        setweight(to_tsvector('simple', ${initialSeparateWordsSql('description')}), 'C') ||
        setweight(to_tsvector('english', ${initialSeparateWordsSql('description')}), 'C')) stored,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint product_slug unique (slug),
      constraint product_category_id_foreign foreign key (category_id) references category (id),
      constraint product_texts_not_empty check (name <> '' and description <> ''),
      constraint product_images check (cardinality(images) <= 20
        and array_to_string(images, ' ', '-') ~* '^(https?://\\S+( |$))*$')
    )`);
    // The catalogue, newest first (ids rise with time), and its number of products.
    this.addSql(`create index product_newest on product (id) where deleted_at is null`);
    // The products of a category, newest first.
    this.addSql(`create index product_category_newest on product (category_id, id)
      where deleted_at is null`);
    // The catalogue by name.
    this.addSql(`create index product_by_name on product (lower(name::text), id)
      where deleted_at is null`);
    // Products by age, deleted ones included.
    this.addSql(`create index product_created_at on product (created_at)`);
    // Search by words and beginnings of words. Without a list of pending entries: after many changes
    // every search would read all of it, until a vacuum.
    this.addSql(
      `create index product_search on product using gin (search) with (fastupdate = off)`,
    );

    this.addSql(`create table product_variant (
      sku varchar(64) primary key,
      product_id uuid not null,
      name varchar(255) not null,
      name_version int not null default 1,
      options jsonb not null,
      deleted_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint product_variant_product_id_foreign foreign key (product_id) references product (id),
      constraint product_variant_name_not_empty check (name <> '')
    )`);
    // The variants of a product.
    this.addSql(`create index product_variant_product on product_variant (product_id)`);
  }

  #createSearchWords(): void {
    this.addSql(`create table search_word (
      word text collate "C" primary key,
      created_at timestamptz not null default now()
    )`);
    // Words similar to a misspelt one.
    this.addSql(`create index search_word_similar on search_word using gist (word gist_trgm_ops)`);
    // Lexemes are sorted, so two products that are written at the same time do not deadlock on their words.
    this.addSql(`create function product_words_fn() returns trigger as
      $$ begin
        insert into search_word (word)
        select lexeme from unnest(tsvector_to_array(new.search)) as lexeme
        where length(lexeme) between 3 and 40
        on conflict do nothing;
        return null;
      end; $$ language plpgsql`);
    this.addSql(`create trigger words after insert or update on product
      for each row execute function product_words_fn()`);
  }

  #createOfferListings(): void {
    this.addSql(`create table offer_listing (
      shop_id uuid,
      sku varchar(64),
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
      primary key (shop_id, sku),
      constraint offer_listing_sku_foreign foreign key (sku) references product_variant (sku),
      constraint offer_listing_product_id_foreign foreign key (product_id) references product (id),
      constraint offer_listing_price check (price_amount >= 0),
      constraint offer_listing_complete check (not active
        or (offer_id is not null and price_amount is not null and currency_code is not null))
    )`);
    // Whether a product has a matching offer, and the cheapest of them.
    this.addSql(`create index offer_listing_product
      on offer_listing (product_id, currency_code, price_amount, sku, shop_id) include (in_stock)
      where active`);
    // Products by price, and products in a price range.
    this.addSql(`create index offer_listing_by_price
      on offer_listing (currency_code, price_amount, product_id) where active`);
    // The products of a shop and what its other filters need, without reading the rows.
    this.addSql(`create index offer_listing_shop
      on offer_listing (shop_id, product_id) include (currency_code, price_amount, in_stock)
      where active`);
    // The offers of a variant that is removed.
    this.addSql(`create index offer_listing_sku on offer_listing (sku)`);

    // One row per product and currency instead of one per offer: counting what is in stock took 32 ms
    // for 10,000 products with 87,000 offers.
    this.addSql(`create table listed_price (
      product_id uuid,
      currency_code char(3),
      lowest numeric(12,2) not null,
      highest numeric(12,2) not null,
      lowest_in_stock numeric(12,2),
      highest_in_stock numeric(12,2),
      lowest_sold_out numeric(12,2),
      highest_sold_out numeric(12,2),
      primary key (product_id, currency_code),
      constraint listed_price_product_id_foreign foreign key (product_id) references product (id),
      constraint listed_price_range check (lowest <= highest)
    )`);
    // Products by price, each once.
    this.addSql(`create index listed_price_lowest
      on listed_price (currency_code, lowest, product_id)`);
    // The same, of products in stock.
    this.addSql(`create index listed_price_lowest_in_stock
      on listed_price (currency_code, lowest_in_stock, product_id) where lowest_in_stock is not null`);
    // The same, of products that are sold out.
    this.addSql(`create index listed_price_lowest_sold_out
      on listed_price (currency_code, lowest_sold_out, product_id) where lowest_sold_out is not null`);
  }
}
