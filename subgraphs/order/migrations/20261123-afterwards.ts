import { Migration } from '@mikro-orm/migrations';

/** What follows a payment: refunds, shipping, the history of an order, what other subgraphs are told. */
export class Migration20261123Afterwards extends Migration {
  override up(): void {
    this.addSql(`alter table customer_order add version int not null default 1`);
    this.addSql(`alter table shop_order add tracking_number varchar(100)`);
    this.addSql(`alter table payment drop constraint payment_status_known`);
    this.addSql(`alter table payment
      add constraint payment_status_known check (status in ('PENDING', 'AUTHORIZED', 'COMPLETED', 'FAILED', 'VOIDED', 'REFUNDED'))`);
    this.addSql(`create table refund (
      id uuid not null,
      payment_id uuid not null,
      shop_order_id uuid,
      amount numeric(14,2) not null,
      reason varchar(255) not null,
      status text not null default 'PENDING',
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (id)
    )`);
    // one refund for each part of an order, and one of a payment as a whole
    this.addSql(
      `create unique index refund_once on refund (payment_id, shop_order_id) nulls not distinct`,
    );
    // what has to be sent to the provider
    this.addSql(`create index refund_due on refund (updated_at) where status = 'PENDING'`);
    this.addSql(`alter table refund
      add constraint refund_status_known check (status in ('PENDING', 'COMPLETED'))`);
    this.addSql(`alter table refund
      add constraint refund_amount check (amount > 0)`);
    this.addSql(`alter table refund
      add constraint refund_payment_id_foreign foreign key (payment_id) references payment (id)`);
    this.addSql(`alter table refund
      add constraint refund_shop_order_id_foreign foreign key (shop_order_id) references shop_order (id) on delete restrict`);
    this.addSql(`create table order_event (
      id uuid not null,
      order_id uuid not null,
      shop_order_id uuid,
      type text not null,
      actor text not null,
      reason text,
      created_at timestamptz not null default now(),
      primary key (id)
    )`);
    // the history of an order, oldest first
    this.addSql(`create index order_event_order on order_event (order_id, id)`);
    this.addSql(`alter table order_event
      add constraint order_event_order_id_foreign foreign key (order_id) references customer_order (id)`);
    this.addSql(`create function order_event_order_event_append_only_fn() returns trigger as
      $$ begin raise exception 'the history of an order is append-only'; end; $$ language plpgsql`);
    this.addSql(`create trigger order_event_append_only before update or delete on order_event
      for each statement execute function order_event_order_event_append_only_fn()`);
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
