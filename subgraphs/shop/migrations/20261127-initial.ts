import { Migration } from '@mikro-orm/migrations';
import { inboxDdl, initialSeparateWordsSql, outboxDdl } from '../../shared/database/initial-ddl.js';

/** The tables of the first version. This migration is never edited. */
export class Migration20261127Initial extends Migration {
  override up(): void {
    for (const statement of [...outboxDdl(), ...inboxDdl()]) this.addSql(statement);

    this.addSql(`create table shop (
      id uuid primary key,
      name varchar(255) not null,
      slug varchar(300) not null,
      owner_id uuid not null,
      currency_code char(3) not null default 'USD',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint shop_slug unique (slug)
    )`);
    // The shops of a vendor.
    this.addSql(`create index shop_owner on shop (owner_id)`);
    // Search among shops.
    this.addSql(`create index shop_words on shop using gin
      (to_tsvector('simple', ${initialSeparateWordsSql('name')}))`);

    this.addSql(`create table offer (
      id uuid primary key,
      shop_id uuid not null,
      sku varchar(64) not null,
      name varchar(520) not null,
      price_amount numeric(12,2) not null,
      compare_at_amount numeric(12,2),
      currency_code char(3) not null,
      purchase_limit int,
      active boolean not null default true,
      removed_at timestamptz,
      version int not null default 1,
      words tsvector not null generated always as
        (to_tsvector('simple', ${initialSeparateWordsSql("name || ' ' || sku")})) stored,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint offer_shop_id_foreign foreign key (shop_id) references shop (id),
      constraint offer_shop_sku unique (shop_id, sku),
      constraint offer_price_not_negative check (price_amount >= 0),
      constraint offer_compare_at_above_price check (compare_at_amount > price_amount),
      constraint offer_purchase_limit_positive check (purchase_limit > 0),
      constraint offer_removed_inactive check (removed_at is null or not active)
    )`);
    // Filter and sort by price.
    this.addSql(`create index offer_price on offer (price_amount)`);
    // The active offers of a variant, cheapest first.
    this.addSql(`create index offer_sku_price on offer (sku, price_amount, id) where active`);
    // All offers of a variant that is renamed or removed.
    this.addSql(`create index offer_variant on offer (sku)`);
    // Pages of Shop.offers.
    this.addSql(`create index offer_shop_page on offer (shop_id, id) where removed_at is null`);
    // Search in Shop.offers. Without a list of pending entries: every search would read all of it.
    this.addSql(`create index offer_words on offer using gin (words) with (fastupdate = off)`);

    this.addSql(`create table variant_name (
      sku varchar(64) primary key,
      name varchar(520) not null,
      version int not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`);

    this.addSql(`create table retired_sku (
      sku varchar(64) primary key,
      created_at timestamptz not null default now()
    )`);
  }
}
