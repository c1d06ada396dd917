import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * When a reservation was done, for pruning; of one that is done already, when it last changed.
 */
export class Migration20261207Retention extends Migration {
  override up(): void {
    this.addSql('alter table reservation add done_at timestamptz');
    this.addSql(`update reservation r ${noRelease} set done_at = updated_at
      where state in ('RELEASED', 'EXPIRED') or state = 'COMMITTED' and not exists (
        select from reservation_line l where l.order_id = r.order_id
          and l.quantity > l.shipped + l.cancelled)`);
  }
}
