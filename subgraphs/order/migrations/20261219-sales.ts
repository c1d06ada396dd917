import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Lines of sales in orders and carts, and the counters that limit what one customer holds and buys. */
export class Migration20261219Sales extends Migration {
  override up(): void {
    this.addSql(`alter table customer_order
      add column reserve_for_ms int, add column sale_address varchar(43)`);
    this.addSql(
      `alter table order_item add column sale_id uuid, add column decided_at timestamptz`,
    );
    // The lines of a sale.
    this.addSql(`create index order_item_sale ${noRelease}
      on order_item (sale_id, customer_id, shop_order_id) where sale_id is not null`);
    // The orders to one address, for `verify`.
    this.addSql(`create index customer_order_sale_address ${noRelease}
      on customer_order (sale_address) where sale_address is not null`);
    this.#addSaleToCarts();
    this.#createHolds();
    this.#createSaleCounters();
  }

  /** A cart may have the regular line of an offer and one for each of its sales. */
  #addSaleToCarts(): void {
    this.addSql(`alter table cart_item
      add column sale_id uuid not null default '00000000-0000-0000-0000-000000000000'`);
    this.addSql(`alter table cart_item ${noRelease} drop constraint cart_item_pkey,
      add primary key (customer_id, offer_id, sale_id)`);
  }

  #createHolds(): void {
    this.addSql(`create table customer_hold (
      customer_id uuid primary key,
      open_orders int not null,
      open_units jsonb not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint customer_hold_open_orders check (open_orders >= 0)
    ) with (fillfactor = 70)`);
    this.addSql(`
      with open_line as (
        select o.customer_id, i.offer_id, sum(i.quantity) as units
        from customer_order o
          join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
          join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
        where o.status = 'PENDING' group by 1, 2
      ), open_units as (
        select customer_id, jsonb_object_agg(offer_id, units) as by_offer from open_line group by 1
      )
      insert into customer_hold (customer_id, open_orders, open_units)
      select o.customer_id, count(*), coalesce(min(u.by_offer::text)::jsonb, '{}')
      from customer_order o left join open_units u using (customer_id)
      where o.status = 'PENDING' group by 1`);
  }

  #createSaleCounters(): void {
    this.addSql(`create table sale_purchase (
      customer_id uuid,
      sale_id uuid,
      offer_id uuid,
      units int not null,
      expired_orders int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (customer_id, sale_id, offer_id),
      constraint sale_purchase_units check (units >= 0 and expired_orders >= 0)
    )`);
    this.addSql(`create table sale_address (
      sale_id uuid,
      offer_id uuid,
      address varchar(43),
      units int not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (sale_id, offer_id, address),
      constraint sale_address_units check (units >= 0)
    )`);
    this.addSql(`create table sale_phone (
      sale_id uuid,
      phone varchar(43),
      customer_id uuid not null,
      order_id uuid not null,
      created_at timestamptz not null default now(),
      primary key (sale_id, phone)
    )`);
    // Pruning.
    this.addSql(`create index sale_purchase_updated_at on sale_purchase (updated_at)`);
    this.addSql(`create index sale_address_updated_at on sale_address (updated_at)`);
    this.addSql(`create index sale_phone_created_at on sale_phone (created_at)`);
  }
}
