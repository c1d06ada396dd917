import { Migration } from '@mikro-orm/migrations';

/** Refusals of checkouts in sales are counted, for the report of a sale. */
export class Migration20261220SaleReport extends Migration {
  override up(): void {
    this.addSql(`create table sale_refusal (
      sale_id uuid,
      minute timestamptz(0),
      kind varchar(50),
      shop_id uuid,
      count int not null,
      primary key (sale_id, minute, kind, shop_id),
      constraint sale_refusal_count check (count > 0)
    )`);
    this.addSql(`create index sale_refusal_minute on sale_refusal (minute)`);
  }
}
