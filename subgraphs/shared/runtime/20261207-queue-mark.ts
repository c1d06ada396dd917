import { Migration } from '@mikro-orm/migrations';

/** The table of `QueueMark`, in the database of each subgraph with a queue. Like all migrations it is never edited. */
export class Migration20261207QueueMark extends Migration {
  override up(): void {
    this.addSql(`create table queue_mark (
      queue text primary key,
      mark timestamptz not null default '-infinity',
      scanned_at timestamptz not null default now()
    )`);
  }
}
