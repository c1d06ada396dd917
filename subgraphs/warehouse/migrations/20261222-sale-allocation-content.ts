import { Migration } from '@mikro-orm/migrations';

/** What was applied under the revision of an allocation. */
export class Migration20261222SaleAllocationContent extends Migration {
  override up(): void {
    this.addSql(`alter table sale_allocation add column content varchar(64) not null default ''`);
  }
}
