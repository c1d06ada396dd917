import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * The states of payments, refunds and disputes follow the provider: a refund is SENT before it is COMPLETED,
 * and may fail; a payment says why it failed; disputes are kept.
 */
export class Migration20261201PaymentMachines extends Migration {
  override up(): void {
    this.#changePayments();
    this.#changeRefunds();
    this.#createDisputes();
  }

  #changePayments(): void {
    this.addSql(`alter table payment add column failure text`);
    this.addSql(`update payment ${noRelease}
      set failure = case when decline_reason is null then 'ORDER_ENDED' else 'DECLINED' end
      where status = 'FAILED'`);
    this.addSql(`alter table payment ${noRelease}
      add constraint payment_failure_known check (failure in
        ('DECLINED', 'NOT_CHARGED', 'ORDER_ENDED', 'CAPTURE_REFUSED', 'LAPSED')),
      add constraint payment_failure check ((status = 'FAILED') = (failure is not null))`);
    // The single payment of a checkout that pays at once, unless nothing was charged.
    this.addSql(`drop index payment_one_step ${noRelease}`);
    this.addSql(`create unique index payment_one_step on payment (order_id) ${noRelease}
      where ends_order and failure is distinct from 'NOT_CHARGED'`);
  }

  #changeRefunds(): void {
    this.addSql(`alter table refund
      add column failure_reason varchar(255),
      add column origin text not null default 'ORDER',
      add column provider_refund_id varchar(255),
      add column covered_by_dispute numeric(14,2) not null default 0,
      add column covered_by_refund numeric(14,2) not null default 0,
      add column attempt int not null default 0`);
    this.addSql(`alter table refund ${noRelease} drop constraint refund_status_known,
      add constraint refund_status_known check (status in
        ('PENDING', 'SENT', 'COMPLETED', 'FAILED', 'CANCELLED')),
      add constraint refund_origin_known check (origin in ('ORDER', 'DASHBOARD')),
      add constraint refund_failure check ((status = 'FAILED') = (failure_reason is not null)),
      add constraint refund_sent check (status <> 'SENT' or provider_refund_id is not null)`);
    // One refund for each shop order of a payment, and one for the payment as a whole; any number that
    // were made at the provider.
    this.addSql(`drop index refund_once ${noRelease}`);
    this.addSql(`create unique index refund_once on refund (payment_id, shop_order_id)
      nulls not distinct ${noRelease} where origin = 'ORDER'`);
    // Refunds to send or to look up, for the worker.
    this.addSql(`drop index refund_due ${noRelease}`);
    this.addSql(`create index refund_due on refund (next_attempt_at) ${noRelease}
      where status in ('PENDING', 'SENT')`);
    // Refunds that a person has to look at.
    this.addSql(
      `create index refund_failed on refund (updated_at) ${noRelease} where status = 'FAILED'`,
    );
    // Refunds that a person made at the provider.
    this.addSql(`create index refund_at_provider on refund (created_at) ${noRelease}
      where origin = 'DASHBOARD'`);
    // The refund that the provider reports.
    this.addSql(`create unique index refund_of_provider ${noRelease}
      on refund (payment_id, provider_refund_id)`);
  }

  #createDisputes(): void {
    this.addSql(`create table dispute (
      id uuid primary key,
      payment_id uuid not null,
      provider_dispute_id varchar(255) not null,
      status text not null,
      amount numeric(14,2) not null,
      reason varchar(255) not null,
      evidence_due_at timestamptz,
      funds_withdrawn boolean not null default false,
      funds_reinstated boolean not null default false,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint dispute_payment_id_foreign foreign key (payment_id) references payment (id),
      constraint dispute_status_known check (status in
        ('INQUIRY', 'CLOSED', 'OPEN', 'WON', 'LOST')),
      constraint dispute_amount check (amount >= 0)
    )`);
    // The disputes of a payment, each once.
    this.addSql(
      `create unique index dispute_of_provider on dispute (payment_id, provider_dispute_id)`,
    );
    // Disputes that wait for evidence.
    this.addSql(`create index dispute_open on dispute (evidence_due_at) where status = 'OPEN'`);
  }
}
