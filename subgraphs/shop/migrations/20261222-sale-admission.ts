import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** How sales with a queue admit, and how long sales were paused. */
export class Migration20261222SaleAdmission extends Migration {
  override up(): void {
    this.addSql(`alter table sale_event
      add column admission_minutes int not null default 5,
      add column admissions_per_minute int,
      add column paused_at timestamptz(3),
      add column paused_ms bigint not null default 0`);
    this.addSql(`update sale_event ${noRelease} set paused_at = now() where status = 'PAUSED'`);
    this.addSql(`alter table sale_event ${noRelease} add constraint sale_event_admission_limits
      check (admission_minutes > 0 and admissions_per_minute > 0)`);
  }
}
