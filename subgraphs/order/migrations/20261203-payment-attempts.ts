import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Declined attempts to pay are counted, by order and by customer and day. */
export class Migration20261203PaymentAttempts extends Migration {
  override up(): void {
    this.addSql(
      `alter table payment add column attempt_day date, add column attempt_slot smallint`,
    );
    // The attempts of a customer on a day, each with its own place.
    this.addSql(`create unique index payment_attempt
      on payment (user_id, attempt_day, attempt_slot) ${noRelease} where attempt_slot is not null`);
  }
}
