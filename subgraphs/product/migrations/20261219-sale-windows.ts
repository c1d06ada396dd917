import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** The windows of sales, in which offers are listed at other prices. */
export class Migration20261219SaleWindows extends Migration {
  override up(): void {
    this.addSql(`alter table offer_listing add column regular_amount numeric(12,2),
      add column sale_id uuid, add column sale_amount numeric(12,2),
      add column sale_starts_at timestamptz(3), add column sale_ends_at timestamptz(3),
      add column sale_paused boolean not null default false,
      add column sale_due_at timestamptz(3)`);
    this.addSql(`alter table offer_listing ${noRelease} add constraint offer_listing_sale check
      (num_nonnulls(sale_id, regular_amount, sale_amount, sale_starts_at, sale_ends_at, sale_due_at) in (0, 6))`);
    // The offers whose price changes at a time that has come.
    this.addSql(`create index ${noRelease} offer_listing_sale_due
      on offer_listing (sale_due_at, sale_id) where sale_due_at is not null`);
  }
}
