import { Migration } from '@mikro-orm/migrations';

/** How many warehouses each shop may have. */
export class Migration20261128WarehouseLimit extends Migration {
  override up(): void {
    this.addSql(`create table warehouse_limit (
      shop_id uuid primary key,
      warehouses int not null default 200,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint warehouse_limit_positive check (warehouses > 0)
    )`);
  }
}
