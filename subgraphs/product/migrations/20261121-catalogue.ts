import { Migration } from '@mikro-orm/migrations';

/** Products and variants can be deleted, and other subgraphs told of it; each index says what it is for. */
export class Migration20261121Catalogue extends Migration {
  override up(): void {
    this.addSql(`alter table product add column deleted_at timestamptz`);
    this.addSql(`alter table product
      add constraint product_texts check (name <> '' and description <> '')`);
    this.addSql(`alter table product
      add constraint product_images check (cardinality(images) <= 20 and array_to_string(images, ' ', '-') ~* '^(https?://\\S+( |$))*$')`);
    // the products of a category and the newest of them; what is deleted is not in it
    this.addSql(`create index product_category_newest on product (category_id, id)
      where deleted_at is null`);
    this.addSql(`drop index product_category`);
    // the catalogue, newest first (ids are in the order of time), and how many products it has
    this.addSql(`create index product_newest on product (id) where deleted_at is null`);

    this.addSql(`alter table product_variant add column deleted_at timestamptz`);
    this.addSql(`alter table product_variant
      add constraint product_variant_name check (name <> '')`);

    this.addSql(`alter table category
      add constraint category_parent_other check (parent_id <> id)`);
    this.addSql(`alter table category
      add constraint category_name check (name <> '')`);

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
    // what may be forgotten
    this.addSql(`create index outbox_sent on outbox (sent_at) where sent_at is not null`);
    // what the relay takes next; what is sent is not in it
    this.addSql(
      `create index outbox_due on outbox (next_attempt_at) where sent_at is null and dead_at is null`,
    );
    // what an alert looks for
    this.addSql(`create index outbox_dead on outbox (dead_at) where dead_at is not null`);
    // wakes the relay, of whichever process, at commit
    this.addSql(`create function outbox_outbox_notify_fn() returns trigger as
      $$ begin perform pg_notify('outbox', ''); return null; end; $$ language plpgsql`);
    this.addSql(`create trigger outbox_notify after insert on outbox
      for each statement execute function outbox_outbox_notify_fn()`);
  }
}
