import { Migration } from '@mikro-orm/migrations';

/** When a change of a sale began, and revisions that a warehouse had already. */
export class Migration20261222SaleChanges extends Migration {
  override up(): void {
    this.addSql(`alter table sale_event add column change_began_at timestamptz`);
    this.addSql(`alter table sale_shop add column revisions_skipped int not null default 0`);
  }
}
