import { Migration } from '@mikro-orm/migrations';

/** A line is inserted without a look at its reservation, which is inserted beside it (docs/adr/0046). */
export class Migration20261213ReservationLines extends Migration {
  override up(): void {
    this.addSql('alter table reservation_line drop constraint reservation_line_order_id_foreign');
  }
}
