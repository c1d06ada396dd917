import { Migration } from '@mikro-orm/migrations';

/** What renamed variants are called now: an offer may be set while it is told. */
export class Migration20261122VariantNames extends Migration {
  override up(): void {
    this.addSql(`create table variant_name (
      sku varchar(64) not null,
      name varchar(520) not null,
      version int not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      primary key (sku)
    )`);
    // the offers of a variant that is renamed or removed, those too that are not active
    this.addSql(`create index offer_variant on offer (sku)`);
  }
}
