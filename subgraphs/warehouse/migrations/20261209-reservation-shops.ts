import { Migration } from '@mikro-orm/migrations';

/** The lines of a reservation are found by its shops, so one that holds units names some. */
export class Migration20261209ReservationShops extends Migration {
  override up(): void {
    this.addSql(`alter table reservation add constraint reservation_shops
      check (state <> 'HELD' or shop_ids <> '{}') not valid`);
  }
}
