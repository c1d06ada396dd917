import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** When sales were paused and cancelled, so that lines at the regular price can be compared with it. */
export class Migration20261225SalePauses extends Migration {
  override up(): void {
    this.addSql(`create table sale_pause (
      sale_id uuid constraint sale_pause_sale_id_foreign references sale_event,
      paused_at timestamptz(3),
      resumed_at timestamptz(3),
      primary key (sale_id, paused_at),
      constraint sale_pause_times check (resumed_at >= paused_at)
    )`);
    // Of earlier pauses only the sum is known.
    this.addSql(`insert into sale_pause (sale_id, paused_at, resumed_at)
      select id, created_at, created_at + paused_ms * interval '1 ms'
      from sale_event where paused_ms > 0
      union all select id, paused_at, null from sale_event where paused_at is not null`);
    this.addSql(`alter table sale_event ${noRelease}
      drop column paused_at, drop column paused_ms, add column cancelled_at timestamptz(3)`);
    this.addSql(
      `update sale_event ${noRelease} set cancelled_at = updated_at where status = 'CANCELLED'`,
    );
  }
}
