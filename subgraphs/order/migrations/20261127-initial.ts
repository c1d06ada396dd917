import { Migration } from '@mikro-orm/migrations';
import { idempotencyKeyDdl, inboxDdl, outboxDdl } from '../../shared/database/initial-ddl.js';

const orderStatuses = `'PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'`;

/** The tables of the first version. This migration is never edited. */
export class Migration20261127Initial extends Migration {
  override up(): void {
    const shared = [...idempotencyKeyDdl(), ...outboxDdl(), ...inboxDdl()];
    for (const statement of shared) this.addSql(statement);
    this.#createOrders();
    this.#createPayments();
    this.#createPurchases();
    this.#createCarts();
  }

  #createOrders(): void {
    this.addSql(`create sequence order_number`);
    this.addSql(`create table customer_order (
      id uuid primary key,
      number varchar(20) not null default 'H' || lpad(nextval('order_number')::text, 8, '0'),
      customer_id uuid not null,
      status text not null default 'PENDING',
      cancel_reason text,
      total_amount numeric(14,2) not null,
      currency_code char(3) not null,
      shipping_address jsonb not null,
      expires_at timestamptz,
      version int not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint customer_order_number unique (number),
      constraint customer_order_status_known check (status in (${orderStatuses})),
      constraint customer_order_cancel_reason
        check ((status = 'CANCELLED') = (cancel_reason is not null)),
      constraint customer_order_total check (total_amount >= 0)
    )`);
    // A customer's orders, newest first.
    this.addSql(`create index customer_order_customer on customer_order (customer_id, id)`);
    // Orders by status.
    this.addSql(`create index customer_order_status on customer_order (status, created_at)`);
    // Checkouts that stopped half-way. By id: PostgreSQL uses this index, too, to change one order by its
    // id, and by another column it would read all orders placed since the last vacuum.
    this.addSql(`create index customer_order_not_reserved on customer_order (id)
      where status = 'PENDING' and expires_at is null`);

    this.addSql(`create table shop_order (
      id uuid primary key,
      order_id uuid not null,
      shop_id uuid not null,
      status text not null default 'PENDING',
      tracking_number varchar(100),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint shop_order_order_id_foreign
        foreign key (order_id) references customer_order (id),
      constraint shop_order_status_known check (status in (${orderStatuses}))
    )`);
    // The shop orders of an order.
    this.addSql(`create index shop_order_order on shop_order (order_id)`);
    // The orders of a shop, newest first.
    this.addSql(`create index shop_order_shop on shop_order (shop_id, id)`);

    this.addSql(`create table order_item (
      id uuid primary key,
      shop_order_id uuid not null,
      offer_id uuid not null,
      sku varchar(64) not null,
      name varchar(520) not null,
      unit_price_amount numeric(12,2) not null,
      currency_code char(3) not null,
      quantity int not null,
      from_cart int not null default 0,
      created_at timestamptz not null default now(),
      constraint order_item_shop_order_id_foreign
        foreign key (shop_order_id) references shop_order (id),
      constraint order_item_price check (unit_price_amount >= 0),
      constraint order_item_quantity check (quantity > 0),
      constraint order_item_from_cart check (from_cart >= 0 and from_cart <= quantity)
    )`);
    // The items of a shop order.
    this.addSql(`create index order_item_shop_order on order_item (shop_order_id)`);

    this.addSql(`create table order_event (
      id uuid primary key,
      order_id uuid not null,
      shop_order_id uuid,
      type text not null,
      actor text not null,
      reason text,
      created_at timestamptz not null default now(),
      constraint order_event_order_id_foreign
        foreign key (order_id) references customer_order (id)
    )`);
    // The history of an order, oldest first.
    this.addSql(`create index order_event_order on order_event (order_id, id)`);
    this.addSql(`create function order_event_append_only_fn() returns trigger as
      $$ begin raise exception 'the history of an order is append-only'; end; $$ language plpgsql`);
    this.addSql(`create trigger append_only before update or delete on order_event
      for each statement execute function order_event_append_only_fn()`);
  }

  #createPayments(): void {
    this.addSql(`create table payment (
      id uuid primary key,
      order_id uuid not null,
      user_id uuid not null,
      amount numeric(14,2) not null,
      currency_code char(3) not null default 'USD',
      status text not null default 'PENDING',
      method varchar(50) not null default 'Credit Card',
      provider varchar(50) not null,
      provider_transaction_id varchar(255),
      client_secret varchar(255),
      decline_reason varchar(255),
      ends_order boolean not null default false,
      attempts int not null default 0,
      next_attempt_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint payment_order_id_foreign foreign key (order_id) references customer_order (id),
      constraint payment_status_known check (status in
        ('PENDING', 'AUTHORIZED', 'COMPLETED', 'FAILED', 'VOIDED', 'REFUNDED')),
      constraint payment_amount check (amount > 0)
    )`);
    // At most one pending, authorized or completed payment per order.
    this.addSql(`create unique index payment_live on payment (order_id)
      where status in ('PENDING', 'AUTHORIZED', 'COMPLETED')`);
    // The single payment of a checkout that pays at once.
    this.addSql(`create unique index payment_one_step on payment (order_id) where ends_order`);
    // The payments of an order.
    this.addSql(`create index payment_order on payment (order_id, id)`);
    // The payments of a customer.
    this.addSql(`create index payment_user on payment (user_id)`);
    // The payment that a provider's message is about.
    this.addSql(`create index payment_provider_transaction on payment (provider_transaction_id)`);
    // Payments by status.
    this.addSql(`create index payment_status on payment (status, updated_at)`);
    // Payments with a next step, for the worker.
    this.addSql(`create index payment_due on payment (next_attempt_at)
      where next_attempt_at is not null`);

    this.addSql(`create table refund (
      id uuid primary key,
      payment_id uuid not null,
      shop_order_id uuid,
      amount numeric(14,2) not null,
      reason varchar(255) not null,
      status text not null default 'PENDING',
      attempts int not null default 0,
      next_attempt_at timestamptz not null default now(),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint refund_payment_id_foreign foreign key (payment_id) references payment (id),
      constraint refund_shop_order_id_foreign
        foreign key (shop_order_id) references shop_order (id) on delete restrict,
      constraint refund_status_known check (status in ('PENDING', 'COMPLETED')),
      constraint refund_amount check (amount > 0)
    )`);
    // One refund for each shop order of a payment, and one for the payment as a whole.
    this.addSql(`create unique index refund_once on refund (payment_id, shop_order_id)
      nulls not distinct`);
    // Refunds to send, for the worker.
    this.addSql(`create index refund_due on refund (next_attempt_at) where status = 'PENDING'`);

    this.addSql(`create table payment_event (
      provider varchar(50),
      id varchar(255),
      payment_id uuid,
      created_at timestamptz not null default now(),
      primary key (provider, id)
    )`);
    // Pruning.
    this.addSql(`create index payment_event_created_at on payment_event (created_at)`);
  }

  #createPurchases(): void {
    // The primary key finds the counter of a customer and variant; parallel checkouts wait for its row.
    this.addSql(`create table purchase (
      customer_id uuid,
      shop_id uuid,
      sku varchar(64),
      units bigint not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (customer_id, shop_id, sku),
      constraint purchase_units check (units >= 0)
    )`);
  }

  #createCarts(): void {
    this.addSql(`create table cart (
      id uuid primary key,
      shard smallint not null,
      counted boolean not null default false,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`);
    // Carts that are counted and have not changed for a day.
    this.addSql(`create index cart_counted on cart (updated_at) where counted`);

    // The primary key finds the lines of a cart, one per offer.
    this.addSql(`create table cart_item (
      cart_id uuid,
      offer_id uuid,
      id uuid not null,
      name varchar(520) not null,
      unit_price_amount numeric(12,2) not null,
      currency_code char(3) not null,
      quantity int not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (cart_id, offer_id),
      constraint cart_item_cart_id_foreign foreign key (cart_id) references cart (id),
      constraint cart_item_price check (unit_price_amount >= 0),
      constraint cart_item_quantity check (quantity > 0)
    )`);

    // The primary key finds the counters of an offer. Half-empty pages keep updates on the page (HOT).
    this.addSql(`create table units_in_carts (
      offer_id uuid,
      shard smallint,
      units bigint not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (offer_id, shard)
    ) with (fillfactor = 50)`);
  }
}
