import { Migration } from '@mikro-orm/migrations';

/** What shops are told of the name of a variant has a version, so that an older one is ignored. */
export class Migration20261122NameVersions extends Migration {
  override up(): void {
    this.addSql(`alter table product_variant add column name_version int not null default 1`);
  }
}
