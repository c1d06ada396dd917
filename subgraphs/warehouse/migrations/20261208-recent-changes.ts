import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** `verify` finds what has changed since its last pass by indexes. */
export class Migration20261208RecentChanges extends Migration {
  override up(): void {
    // The newest movements. Rows are inserted in the order of their ids, so ranges of pages are enough, which
    // cost an insert next to nothing.
    this.addSql(`create index stock_movement_recent on stock_movement using brin (id) ${noRelease}
      with (pages_per_range = 32, autosummarize = on)`);
    this.addSql(`create index warehouse_event_by_id on warehouse_event (id) ${noRelease}`);
    // What is on its way to a warehouse.
    this.addSql(`create index stock_transfer_to on stock_transfer (shop_id, to_id) ${noRelease}
      where status = 'IN_TRANSIT'`);
  }
}
