import { Migration } from '@mikro-orm/migrations';

/** The tables of the first slice; each index says what it is for. */
export class Migration20261121Spine extends Migration {
  override up(): void {
    this.addSql(`create sequence order_number`);
    this.addSql(`create table idempotency_key (
      user_id uuid not null,
      operation text not null,
      key text not null,
      fingerprint text not null,
      subject_id uuid not null,
      outcome jsonb,
      claimed_until timestamptz not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (user_id, operation, key)
    )`);
    // what may be forgotten
    this.addSql(`create index idempotency_key_created_at on idempotency_key (created_at)`);
    // whether somebody works at what was made under a key
    this.addSql(`create index idempotency_key_subject on idempotency_key (subject_id)`);
    this.addSql(`create table inbox (
      id uuid not null,
      producer text not null,
      topic text not null,
      created_at timestamptz not null default now(),
      primary key (id)
    )`);
    // what may be forgotten
    this.addSql(`create index inbox_created_at on inbox (created_at)`);
    this.addSql(`create table customer_order (
      id uuid not null,
      number varchar(20) not null default ('H'::text || lpad((nextval('order_number'::regclass))::text, 8, '0'::text)),
      customer_id uuid not null,
      status text not null default 'PENDING',
      cancel_reason text,
      total_amount numeric(14,2) not null,
      currency_code char(3) not null,
      shipping_address jsonb not null,
      expires_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    this.addSql(`alter table customer_order
      add constraint customer_order_number unique (number)`);
    // checkouts that stopped half-way
    this.addSql(`create index customer_order_not_held on customer_order (created_at)
      where status = 'PENDING' and expires_at is null`);
    // orders by status
    this.addSql(`create index customer_order_status on customer_order (status, created_at)`);
    // a customer’s orders, newest first
    this.addSql(`create index customer_order_customer on customer_order (customer_id, id)`);
    this.addSql(`alter table customer_order
      add constraint customer_order_total check (total_amount >= 0)`);
    this.addSql(`alter table customer_order
      add constraint customer_order_cancel_reason check ((status = 'CANCELLED') = (cancel_reason is not null))`);
    this.addSql(`alter table customer_order
      add constraint customer_order_status_known check (status in ('PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'))`);
    this.addSql(`create table payment (
      id uuid not null,
      order_id uuid not null,
      user_id uuid not null,
      amount numeric(14,2) not null,
      currency_code char(3) not null default 'USD',
      status text not null default 'PENDING',
      method varchar(50) not null default 'Credit Card',
      provider varchar(50) not null,
      provider_transaction_id varchar(255),
      decline_reason varchar(255),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // what recovery takes up
    this.addSql(`create index payment_status on payment (status, updated_at)`);
    // what a provider’s message is about
    this.addSql(`create index payment_provider_transaction on payment (provider_transaction_id)`);
    // the payments of a customer
    this.addSql(`create index payment_user on payment (user_id)`);
    // the payments of an order
    this.addSql(`create index payment_order on payment (order_id, id)`);
    // one live payment for an order: pending, authorized or completed
    this.addSql(
      `create unique index payment_live on payment (order_id) where status in ('PENDING', 'AUTHORIZED', 'COMPLETED')`,
    );
    this.addSql(`alter table payment
      add constraint payment_amount check (amount > 0)`);
    this.addSql(`alter table payment
      add constraint payment_status_known check (status in ('PENDING', 'AUTHORIZED', 'COMPLETED', 'FAILED', 'VOIDED'))`);
    this.addSql(`create table shop_order (
      id uuid not null,
      order_id uuid not null,
      shop_id uuid not null,
      status text not null default 'PENDING',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // the orders of a shop, newest first
    this.addSql(`create index shop_order_shop on shop_order (shop_id, id)`);
    // the parts of an order
    this.addSql(`create index shop_order_order on shop_order (order_id)`);
    this.addSql(`alter table shop_order
      add constraint shop_order_status_known check (status in ('PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'))`);
    this.addSql(`create table order_item (
      id uuid not null,
      shop_order_id uuid not null,
      offer_id uuid not null,
      sku varchar(64) not null,
      name varchar(520) not null,
      unit_price_amount numeric(12,2) not null,
      currency_code char(3) not null,
      quantity int not null,
      created_at timestamptz not null default now(),
      primary key (id)
    )`);
    // the lines of a part
    this.addSql(`create index order_item_shop_order on order_item (shop_order_id)`);
    this.addSql(`alter table order_item
      add constraint order_item_price check (unit_price_amount >= 0)`);
    this.addSql(`alter table order_item
      add constraint order_item_quantity check (quantity > 0)`);
    this.addSql(`alter table payment
      add constraint payment_order_id_foreign foreign key (order_id) references customer_order (id)`);
    this.addSql(`alter table shop_order
      add constraint shop_order_order_id_foreign foreign key (order_id) references customer_order (id)`);
    this.addSql(`alter table order_item
      add constraint order_item_shop_order_id_foreign foreign key (shop_order_id) references shop_order (id)`);
  }
}
