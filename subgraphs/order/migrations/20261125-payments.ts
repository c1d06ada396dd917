import { Migration } from '@mikro-orm/migrations';

/** What payments and refunds have left to do, and which webhooks were taken. */
export class Migration20261125Payments extends Migration {
  override up(): void {
    this.addSql(`alter table payment
      add client_secret varchar(255),
      add ends_order boolean not null default false,
      add attempts int not null default 0,
      add next_attempt_at timestamptz`);
    this.addSql(`update payment set next_attempt_at = now()
      where status in ('PENDING', 'AUTHORIZED')`);
    // the one payment of a checkout that pays at once
    this.addSql(`create unique index payment_one_step on payment (order_id) where ends_order`);
    // what a worker takes up next; what is settled is not in it
    this.addSql(
      `create index payment_due on payment (next_attempt_at) where next_attempt_at is not null`,
    );
    this.addSql(`alter table refund
      add attempts int not null default 0,
      add next_attempt_at timestamptz not null default now()`);
    this.addSql(`drop index refund_due`);
    // what has to be sent to the provider
    this.addSql(`create index refund_due on refund (next_attempt_at) where status = 'PENDING'`);
    this.addSql(`create table payment_event (
      provider varchar(50) not null,
      id varchar(255) not null,
      payment_id uuid,
      created_at timestamptz not null default now(),
      primary key (provider, id)
    )`);
    // what may be forgotten
    this.addSql(`create index payment_event_created_at on payment_event (created_at)`);
  }
}
