import { Migration } from '@mikro-orm/migrations';

/** Carts, what of an order came from its customer’s cart, and the units that stand in carts. */
export class Migration20261124Cart extends Migration {
  override up(): void {
    this.addSql(`create table cart (
      id uuid not null,
      shard smallint not null,
      counted boolean not null default false,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // carts that were not touched for a day and are counted still
    this.addSql(`create index cart_counted on cart (updated_at) where counted`);
    // its key is the lines of a cart, one for each offer
    this.addSql(`create table cart_item (
      cart_id uuid not null,
      offer_id uuid not null,
      id uuid not null,
      name varchar(520) not null,
      unit_price_amount numeric(12,2) not null,
      currency_code char(3) not null,
      quantity int not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (cart_id, offer_id)
    )`);
    this.addSql(`alter table cart_item
      add constraint cart_item_quantity check (quantity > 0)`);
    this.addSql(`alter table cart_item
      add constraint cart_item_price check (unit_price_amount >= 0)`);
    this.addSql(`alter table cart_item
      add constraint cart_item_cart_id_foreign foreign key (cart_id) references cart (id)`);
    // its key is the counters of an offer; half-empty pages keep their updates on the page
    this.addSql(`create table units_in_carts (
      offer_id uuid not null,
      shard smallint not null,
      units bigint not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (offer_id, shard)
    ) with (fillfactor = 50)`);
    this.addSql(`alter table order_item add from_cart int not null default 0`);
    this.addSql(`alter table order_item
      add constraint order_item_from_cart check (from_cart >= 0 and from_cart <= quantity)`);
  }
}
