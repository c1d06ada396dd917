import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** `verify` finds what has changed since its last pass by indexes. */
export class Migration20261208RecentChanges extends Migration {
  override up(): void {
    // The newest events. Rows are inserted in the order of their ids, so ranges of pages are enough, which
    // cost an insert next to nothing.
    this.addSql(`create index order_event_recent on order_event using brin (id) ${noRelease}
      with (pages_per_range = 32, autosummarize = on)`);
    // The carts that have an offer.
    this.addSql(`create index cart_item_offer on cart_item (offer_id) ${noRelease}`);
  }
}
