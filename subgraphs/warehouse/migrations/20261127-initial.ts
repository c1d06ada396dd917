import { Migration } from '@mikro-orm/migrations';
import { inboxDdl, outboxDdl } from '../../shared/database/initial-ddl.js';

/** The tables of the first version. This migration is never edited. */
export class Migration20261127Initial extends Migration {
  override up(): void {
    for (const statement of [...outboxDdl(), ...inboxDdl()]) this.addSql(statement);
    this.#createStock();
    this.#createReservations();
    this.#createTransfers();
  }

  #createStock(): void {
    this.addSql(`create table warehouse (
      id uuid primary key,
      shop_id uuid not null,
      name varchar(255) not null,
      address jsonb,
      active boolean not null default true,
      priority int not null default 100,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`);
    // The warehouses of a shop.
    this.addSql(`create index warehouse_shop on warehouse (shop_id)`);

    this.addSql(`create table stock_item (
      shop_id uuid,
      sku varchar(64),
      available int not null default 0,
      version int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (shop_id, sku),
      constraint stock_item_available check (available >= 0)
    )`);
    // Availability of a variant in all shops, for queries and subscriptions.
    this.addSql(`create index stock_item_sku on stock_item (sku)`);

    this.addSql(`create table stock_level (
      id uuid primary key,
      warehouse_id uuid not null,
      shop_id uuid not null,
      sku varchar(64) not null,
      on_hand int not null default 0,
      reserved int not null default 0,
      incoming int not null default 0,
      low_stock_threshold int not null default 10,
      is_low_stock boolean not null
        generated always as (on_hand - reserved < low_stock_threshold) stored,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint stock_level_warehouse_id_foreign
        foreign key (warehouse_id) references warehouse (id),
      constraint stock_level_sku_warehouse unique (sku, warehouse_id),
      constraint stock_level_reserved check (0 <= reserved and reserved <= on_hand),
      constraint stock_level_incoming check (incoming >= 0),
      constraint stock_level_threshold check (low_stock_threshold >= 0)
    )`);
    // The stock of a warehouse.
    this.addSql(`create index stock_level_warehouse on stock_level (warehouse_id, id)`);
    // Low stock of a shop. A change of reserved that does not cross the threshold stays HOT.
    this.addSql(`create index stock_level_low on stock_level (shop_id, id) where is_low_stock`);
    // Warehouse.stockLevels(lowOnly: true)
    this.addSql(`create index stock_level_low_warehouse on stock_level (warehouse_id, id)
      where is_low_stock`);

    this.addSql(`create table stock_movement (
      id uuid primary key,
      level_id uuid not null,
      type text not null,
      on_hand_delta int not null,
      reserved_delta int not null,
      reference varchar(255),
      reason varchar(255),
      actor varchar(64) not null,
      created_at timestamptz not null default now(),
      constraint stock_movement_level_id_foreign foreign key (level_id) references stock_level (id),
      constraint stock_movement_type check (type in ('RECEIPT', 'ADJUSTMENT', 'RESERVATION',
        'RELEASE', 'SALE', 'RETURN', 'TRANSFER_OUT', 'TRANSFER_IN'))
    )`);
    // The history of a level.
    this.addSql(`create index stock_movement_level on stock_movement (level_id, id)`);
    // The movements of an order or a delivery.
    this.addSql(`create index stock_movement_reference on stock_movement (reference)`);
    this.addSql(`create function stock_movement_append_only_fn() returns trigger as
      $$ begin raise exception 'stock_movement is append-only: add a line that corrects it'; end; $$
      language plpgsql`);
    this.addSql(`create trigger append_only before update or delete on stock_movement
      for each statement execute function stock_movement_append_only_fn()`);
  }

  #createReservations(): void {
    this.addSql(`create table reservation (
      order_id uuid primary key,
      state text not null,
      expires_at timestamptz not null,
      payment_id uuid,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint reservation_state check (state in ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED')),
      constraint reservation_payment check ((state = 'COMMITTED') = (payment_id is not null))
    )`);
    // Expired reservations, for the sweeper.
    this.addSql(`create index reservation_due on reservation (expires_at) where state = 'HELD'`);

    this.addSql(`create table reservation_line (
      order_id uuid,
      level_id uuid,
      quantity int not null,
      created_at timestamptz not null default now(),
      primary key (order_id, level_id),
      constraint reservation_line_order_id_foreign
        foreign key (order_id) references reservation (order_id),
      constraint reservation_line_level_id_foreign
        foreign key (level_id) references stock_level (id),
      constraint reservation_line_quantity check (quantity > 0)
    )`);
    // The reservations of a level.
    this.addSql(`create index reservation_line_level on reservation_line (level_id)`);
  }

  #createTransfers(): void {
    this.addSql(`create table stock_transfer (
      id uuid primary key,
      shop_id uuid not null,
      from_id uuid not null,
      to_id uuid not null,
      status text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint stock_transfer_from_id_foreign foreign key (from_id) references warehouse (id),
      constraint stock_transfer_to_id_foreign foreign key (to_id) references warehouse (id),
      constraint stock_transfer_warehouses_differ check (from_id <> to_id),
      constraint stock_transfer_status check (status in ('IN_TRANSIT', 'RECEIVED', 'CANCELLED'))
    )`);
    // The transfers of a shop, newest first.
    this.addSql(`create index stock_transfer_shop on stock_transfer (shop_id, id)`);

    this.addSql(`create table transfer_line (
      transfer_id uuid,
      sku varchar(64),
      quantity int not null,
      received int not null default 0,
      returned int not null default 0,
      missing int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (transfer_id, sku),
      constraint transfer_line_transfer_id_foreign
        foreign key (transfer_id) references stock_transfer (id),
      constraint transfer_line_quantity
        check (quantity > 0 and received + returned + missing <= quantity),
      constraint transfer_line_not_negative
        check (received >= 0 and returned >= 0 and missing >= 0)
    )`);
  }
}
