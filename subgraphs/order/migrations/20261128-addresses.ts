import { Migration } from '@mikro-orm/migrations';

/** When a shop order was shipped and delivered: a shop sees the shipping address until some time after it. */
export class Migration20261128Addresses extends Migration {
  override up(): void {
    this.addSql('alter table shop_order add shipped_at timestamptz, add delivered_at timestamptz');
  }
}
