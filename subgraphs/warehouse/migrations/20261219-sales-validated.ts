import { Migration } from '@mikro-orm/migrations';

export class Migration20261219SalesValidated extends Migration {
  override up(): void {
    this.addSql('alter table stock_item validate constraint stock_item_set_aside');
    this.addSql('alter table stock_item validate constraint stock_item_sale');
    this.addSql(`alter table reservation_line drop constraint reservation_line_pkey,
      add constraint reservation_line_pkey primary key using index reservation_line_key`);
  }
}
