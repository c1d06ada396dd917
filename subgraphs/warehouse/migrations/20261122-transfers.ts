import { Migration } from '@mikro-orm/migrations';

/** Units that move between warehouses, and what of them is on its way. */
export class Migration20261122Transfers extends Migration {
  override up(): void {
    this.addSql(`alter table stock_level add incoming int not null default 0`);
    this.addSql(`alter table stock_level
      add constraint stock_level_incoming check (incoming >= 0)`);
    this.addSql(`create table stock_transfer (
      id uuid not null,
      shop_id uuid not null,
      from_id uuid not null,
      to_id uuid not null,
      status text not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // the transfers of a shop, newest first
    this.addSql(`create index stock_transfer_shop on stock_transfer (shop_id, id)`);
    this.addSql(`alter table stock_transfer
      add constraint stock_transfer_status check (status in ('IN_TRANSIT', 'RECEIVED', 'CANCELLED'))`);
    this.addSql(`alter table stock_transfer
      add constraint stock_transfer_ways check (from_id <> to_id)`);
    this.addSql(`create table transfer_line (
      transfer_id uuid not null,
      sku varchar(64) not null,
      quantity int not null,
      received int not null default 0,
      returned int not null default 0,
      missing int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (transfer_id, sku)
    )`);
    this.addSql(`alter table transfer_line
      add constraint transfer_line_quantity check (quantity > 0 and received + returned + missing <= quantity)`);
    this.addSql(`alter table transfer_line
      add constraint transfer_line_counts check (received >= 0 and returned >= 0 and missing >= 0)`);
    this.addSql(`alter table stock_transfer
      add constraint stock_transfer_from_id_foreign foreign key (from_id) references warehouse (id)`);
    this.addSql(`alter table stock_transfer
      add constraint stock_transfer_to_id_foreign foreign key (to_id) references warehouse (id)`);
    this.addSql(`alter table transfer_line
      add constraint transfer_line_transfer_id_foreign foreign key (transfer_id) references stock_transfer (id) on update no action on delete no action`);
  }
}
