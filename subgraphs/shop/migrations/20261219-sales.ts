import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Sale events: their offers, the shops that take part, and the sale that each offer is in. */
export class Migration20261219Sales extends Migration {
  override up(): void {
    this.#createSaleEvents();
    this.#createSaleOffers();
    this.addSql(`alter table offer add column sale_id uuid, add column hold_limit int`);
    this.addSql(`alter table offer ${noRelease}
      add constraint offer_hold_limit_positive check (hold_limit > 0)`);
    // The offers of a variant that may be in a sale.
    this.addSql(`create index ${noRelease} offer_in_sale on offer (sku) where sale_id is not null`);
    // The offers that are in a sale, when it is published, paused or cancelled.
    this.addSql(
      `create index ${noRelease} offer_of_sale on offer (sale_id) where sale_id is not null`,
    );
  }

  #createSaleEvents(): void {
    this.addSql(`create table sale_event (
      id uuid primary key,
      shop_id uuid,
      name varchar(255) not null,
      slug varchar(300) not null,
      starts_at timestamptz(3) not null,
      ends_at timestamptz(3) not null,
      hold_minutes int,
      admission text not null default 'OPEN',
      eligibility text not null default 'ANYONE',
      account_before timestamptz(3),
      status text not null default 'DRAFT',
      published_at timestamptz,
      revision int not null default 0,
      step text,
      pending jsonb,
      refused jsonb,
      attempts int not null default 0,
      next_attempt_at timestamptz not null default now(),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint sale_event_slug unique (slug),
      constraint sale_event_shop_id_foreign foreign key (shop_id) references shop (id),
      constraint sale_event_window check (ends_at > starts_at),
      constraint sale_event_hold_minutes check (hold_minutes > 0),
      constraint sale_event_admission check (admission in ('OPEN', 'QUEUED')),
      constraint sale_event_eligibility
        check (eligibility in ('ANYONE', 'PROVEN_PHONE', 'ACCOUNT_BEFORE')),
      constraint sale_event_account_before
        check ((eligibility = 'ACCOUNT_BEFORE') = (account_before is not null)),
      constraint sale_event_status
        check (status in ('DRAFT', 'PUBLISHING', 'PUBLISHED', 'PAUSED', 'CANCELLED')),
      constraint sale_event_step check (step in ('ALLOCATE', 'REVERT')),
      constraint sale_event_pending check ((step is null) = (pending is null))
    )`);
    // The sales of a shop, for its owner and for everybody.
    this.addSql(`create index sale_event_shop on sale_event (shop_id, id)`);
    this.addSql(`create index sale_event_shop_published on sale_event (shop_id, id)
      where published_at is not null`);
    // Upcoming and live sales, in the order of their starts.
    this.addSql(`create index sale_event_open on sale_event (starts_at, id)
      where status in ('PUBLISHED', 'PAUSED')`);
    // Changes that are to be completed.
    this.addSql(`create index sale_event_due on sale_event (next_attempt_at)
      where step is not null`);
  }

  #createSaleOffers(): void {
    this.addSql(`create table sale_offer (
      sale_id uuid not null,
      offer_id uuid not null,
      price_amount numeric(12,2) not null,
      allocation int not null,
      limit_per_customer int,
      when_sold_out text not null default 'REGULAR_PRICE',
      primary key (sale_id, offer_id),
      constraint sale_offer_sale_id_foreign foreign key (sale_id) references sale_event (id),
      constraint sale_offer_offer_id_foreign foreign key (offer_id) references offer (id),
      constraint sale_offer_price_not_negative check (price_amount >= 0),
      constraint sale_offer_allocation check (allocation >= 0),
      constraint sale_offer_limit_positive check (limit_per_customer > 0),
      constraint sale_offer_when_sold_out check (when_sold_out in ('REGULAR_PRICE', 'SOLD_OUT'))
    )`);
    // The sales of an offer.
    this.addSql(`create index sale_offer_offer on sale_offer (offer_id)`);

    this.addSql(`create table sale_shop (
      sale_id uuid not null,
      shop_id uuid not null,
      revision int not null default 0,
      primary key (sale_id, shop_id),
      constraint sale_shop_sale_id_foreign foreign key (sale_id) references sale_event (id),
      constraint sale_shop_shop_id_foreign foreign key (shop_id) references shop (id)
    )`);
  }
}
