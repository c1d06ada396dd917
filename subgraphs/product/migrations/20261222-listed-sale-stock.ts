import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Whether offers are in stock in their sale, beside whether they are at the regular price. */
export class Migration20261222ListedSaleStock extends Migration {
  override up(): void {
    this.addSql(`alter table offer_listing
      add column regular_in_stock boolean not null default false,
      add column sale_in_stock boolean not null default false`);
    this.addSql(`update ${noRelease} offer_listing set regular_in_stock = in_stock`);
  }
}
