import { Migration } from '@mikro-orm/migrations';

/** The tables of the first slice; each index says what it is for. */
export class Migration20261121Spine extends Migration {
  override up(): void {
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
    this.addSql(`create table reservation (
      order_id uuid not null,
      state text not null,
      expires_at timestamptz not null,
      payment_id uuid,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (order_id)
    )`);
    // what the sweeper looks for; only what is held is in it
    this.addSql(`create index reservation_due on reservation (expires_at) where state = 'HELD'`);
    this.addSql(`alter table reservation
      add constraint reservation_payment check ((state = 'COMMITTED') = (payment_id is not null))`);
    this.addSql(`alter table reservation
      add constraint reservation_state check (state in ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED'))`);
    this.addSql(`create table stock_item (
      shop_id uuid not null,
      sku varchar(64) not null,
      available int not null default 0,
      version int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (shop_id, sku)
    )`);
    // availability of a variant over all shops; what a feed watches
    this.addSql(`create index stock_item_sku on stock_item (sku)`);
    this.addSql(`alter table stock_item
      add constraint stock_item_available check (available >= 0)`);
    this.addSql(`create table warehouse (
      id uuid not null,
      shop_id uuid not null,
      name varchar(255) not null,
      address jsonb,
      active boolean not null default true,
      priority int not null default 100,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // the warehouses of a shop
    this.addSql(`create index warehouse_shop on warehouse (shop_id)`);
    this.addSql(`create table stock_level (
      id uuid not null,
      warehouse_id uuid not null,
      shop_id uuid not null,
      sku varchar(64) not null,
      on_hand int not null default 0,
      reserved int not null default 0,
      low_stock_threshold int not null default 10,
      is_low_stock boolean generated always as (on_hand - reserved < low_stock_threshold) stored not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // levels below their threshold; a change of reserved that crosses none leaves it alone (HOT)
    this.addSql(`create index stock_level_low on stock_level (shop_id, id) where is_low_stock`);
    // what stands in a warehouse
    this.addSql(`create index stock_level_warehouse on stock_level (warehouse_id, id)`);
    this.addSql(`alter table stock_level
      add constraint stock_level_sku_warehouse unique (sku, warehouse_id)`);
    this.addSql(`alter table stock_level
      add constraint stock_level_threshold check (low_stock_threshold >= 0)`);
    this.addSql(`alter table stock_level
      add constraint stock_level_reserved check (0 <= reserved and reserved <= on_hand)`);
    this.addSql(`create table stock_movement (
      id uuid not null,
      level_id uuid not null,
      type text not null,
      on_hand_delta int not null,
      reserved_delta int not null,
      reference varchar(255),
      reason varchar(255),
      actor varchar(64) not null,
      created_at timestamptz not null default now(),
      primary key (id)
    )`);
    // what an order or a delivery moved
    this.addSql(`create index stock_movement_reference on stock_movement (reference)`);
    // the history of a level
    this.addSql(`create index stock_movement_level on stock_movement (level_id, id)`);
    this.addSql(`alter table stock_movement
      add constraint stock_movement_type check (type in ('RECEIPT', 'ADJUSTMENT', 'RESERVATION', 'RELEASE', 'SALE', 'RETURN', 'TRANSFER_OUT', 'TRANSFER_IN'))`);
    this.addSql(`create table reservation_line (
      order_id uuid not null,
      level_id uuid not null,
      quantity int not null,
      created_at timestamptz not null default now(),
      primary key (order_id, level_id)
    )`);
    // who holds units of a level
    this.addSql(`create index reservation_line_level on reservation_line (level_id)`);
    this.addSql(`alter table reservation_line
      add constraint reservation_line_quantity check (quantity > 0)`);
    this.addSql(`alter table stock_level
      add constraint stock_level_warehouse_id_foreign foreign key (warehouse_id) references warehouse (id)`);
    this.addSql(`alter table stock_movement
      add constraint stock_movement_level_id_foreign foreign key (level_id) references stock_level (id)`);
    this.addSql(`alter table reservation_line
      add constraint reservation_line_order_id_foreign foreign key (order_id) references reservation (order_id) on update no action on delete no action`);
    this.addSql(`alter table reservation_line
      add constraint reservation_line_level_id_foreign foreign key (level_id) references stock_level (id) on update no action on delete no action`);
    // wakes the relay, of whichever process, at commit
    this.addSql(`create function outbox_outbox_notify_fn() returns trigger as
      $$ begin perform pg_notify('outbox', ''); return null; end; $$ language plpgsql`);
    this.addSql(`create trigger outbox_notify after insert on outbox
      for each statement execute function outbox_outbox_notify_fn()`);
    // the ledger is append-only
    this.addSql(`create function stock_movement_stock_movement_append_only_fn() returns trigger as
      $$ begin raise exception 'stock_movement is append-only: add a line that corrects it'; end; $$
      language plpgsql`);
    this.addSql(`create trigger stock_movement_append_only
      before update or delete on stock_movement
      for each statement execute function stock_movement_stock_movement_append_only_fn()`);
  }
}
