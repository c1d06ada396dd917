import { Migration } from '@mikro-orm/migrations';

/** Events of other subgraphs that were taken in. */
export class Migration20261122Inbox extends Migration {
  override up(): void {
    this.addSql(`create table inbox (
      id uuid not null,
      producer text not null,
      topic text not null,
      created_at timestamptz not null default now(),
      primary key (id)
    )`);
    // what may be forgotten
    this.addSql(`create index inbox_created_at on inbox (created_at)`);
  }
}
