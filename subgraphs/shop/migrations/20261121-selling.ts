import { Migration } from '@mikro-orm/migrations';

/** What a shop’s people do with their offers, and what other subgraphs are told of it. */
export class Migration20261121Selling extends Migration {
  override up(): void {
    this.addSql(`alter table offer
      add compare_at_amount numeric(12,2),
      add purchase_limit int,
      add version int not null default 1,
      add removed_at timestamptz`);
    this.addSql(`alter table offer
      add constraint offer_compare_at_above_price check (compare_at_amount > price_amount)`);
    this.addSql(`alter table offer
      add constraint offer_purchase_limit_positive check (purchase_limit > 0)`);
    this.addSql(`alter table offer
      add constraint offer_removed_inactive check (removed_at is null or not active)`);
    this.addSql(`drop index offer_sku_price`);
    // the active offers of a variant, the cheapest first
    this.addSql(`create index offer_sku_price on offer (sku, price_amount, id) where active`);
    // a page of Shop.offers
    this.addSql(`create index offer_shop_page on offer (shop_id, id) where removed_at is null`);
    // the search in Shop.offers
    this.addSql(`create index offer_words on offer using gin
      (to_tsvector('simple', regexp_replace(name || ' ' || sku, '[^[:alnum:]]+', ' ', 'g')))`);
    // the search in shops
    this.addSql(`create index shop_words on shop using gin
      (to_tsvector('simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g')))`);
    this.addSql(`create table retired_sku (
      sku varchar(64) not null,
      created_at timestamptz not null default now(),
      primary key (sku)
    )`);
    this.addSql(`create table inbox (
      id uuid not null,
      producer text not null,
      topic text not null,
      created_at timestamptz not null default now(),
      primary key (id)
    )`);
    // what may be forgotten
    this.addSql(`create index inbox_created_at on inbox (created_at)`);
    this.addSql(`create table outbox (
      id uuid not null,
      consumer text not null,
      topic text not null,
      key text not null,
      version int not null,
      payload jsonb not null,
      rejections int not null default 0,
      next_attempt_at timestamptz not null default now(),
      sent_at timestamptz,
      dead_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // what the relay takes next; what is sent is not in it
    this.addSql(
      `create index outbox_due on outbox (next_attempt_at) where sent_at is null and dead_at is null`,
    );
    // what may be forgotten
    this.addSql(`create index outbox_sent on outbox (sent_at) where sent_at is not null`);
    // dead letters, of which there should be none
    this.addSql(`create index outbox_dead on outbox (dead_at) where dead_at is not null`);
    this.addSql(`create function outbox_outbox_notify_fn() returns trigger as
      $$ begin perform pg_notify('outbox', ''); return null; end; $$ language plpgsql`);
    this.addSql(`create trigger outbox_notify after insert on outbox
      for each statement execute function outbox_outbox_notify_fn()`);
  }
}
