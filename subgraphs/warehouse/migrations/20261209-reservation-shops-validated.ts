import { Migration } from '@mikro-orm/migrations';

export class Migration20261209ReservationShopsValidated extends Migration {
  override up(): void {
    this.addSql('alter table reservation validate constraint reservation_shops');
  }
}
