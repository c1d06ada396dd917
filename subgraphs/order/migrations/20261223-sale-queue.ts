import { Migration } from '@mikro-orm/migrations';

/** The queues of sales, and the tickets in them. */
export class Migration20261223SaleQueue extends Migration {
  override up(): void {
    this.addSql(`create table sale_queue (
      sale_id uuid primary key,
      starts_at timestamptz(3) not null,
      ends_at timestamptz(3) not null,
      eligibility text not null,
      account_before timestamptz(3),
      admission_minutes int not null,
      paused_ms bigint not null default 0,
      seed bytea not null,
      beacon_chain text,
      beacon_round bigint,
      beacon_signature bytea,
      closed_at timestamptz,
      list_count int,
      list_hash bytea,
      drawn_at timestamptz,
      next_number int not null default 1,
      serving_number int not null default 0,
      served_by uuid,
      serve_after timestamptz not null default now(),
      ended_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint sale_queue_eligibility check (eligibility in ('ANYONE', 'PROVEN_PHONE', 'ACCOUNT_BEFORE')),
      constraint sale_queue_closed
        check ((closed_at is null) = (list_count is null) and (closed_at is null) = (list_hash is null)),
      constraint sale_queue_drawn check (drawn_at is null or closed_at is not null),
      constraint sale_queue_numbers check (serving_number >= 0 and serving_number < next_number)
    ) with (fillfactor = 50)`);
    this.addSql(`create index sale_queue_undrawn on sale_queue (starts_at) where drawn_at is null`);
    // verify.
    this.addSql(`create index sale_queue_closed_at on sale_queue (closed_at)`);
    this.addSql(`create index sale_queue_drawn_at on sale_queue (drawn_at)`);
    this.addSql(`create table sale_ticket (
      customer_id uuid,
      sale_id uuid,
      id uuid not null,
      joined_at timestamptz(3) not null,
      early boolean not null default false,
      left_at timestamptz(3),
      draw_number int,
      number int,
      admitted_at timestamptz(3),
      admitted_paused_ms bigint,
      order_id uuid,
      expired_orders int not null default 0,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (customer_id, sale_id),
      constraint sale_ticket_admission check (admitted_at is null or number is not null),
      constraint sale_ticket_paused check ((admitted_at is null) = (admitted_paused_ms is null))
    )`);
    this.addSql(`create unique index sale_ticket_id on sale_ticket (sale_id, id)`);
    this.addSql(
      `create unique index sale_ticket_number on sale_ticket (sale_id, number) where number is not null`,
    );
    this.addSql(
      `create unique index sale_ticket_draw_number on sale_ticket (sale_id, draw_number)
        where draw_number is not null`,
    );
    this.addSql(
      `create index sale_ticket_admitted on sale_ticket (sale_id, admitted_at) where admitted_at is not null`,
    );
    // Pruning.
    this.addSql(`create index sale_ticket_updated_at on sale_ticket (updated_at)`);
  }
}
