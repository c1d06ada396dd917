import { Migration } from '@mikro-orm/migrations';

/**
 * Warehouses have a history. Those that exist get one event with their state at this migration, as
 * what happened before is not known; with the id of its warehouse it sorts before all later events.
 */
export class Migration20261129WarehouseEvents extends Migration {
  override up(): void {
    this.addSql(`create table warehouse_event (
      id uuid primary key,
      warehouse_id uuid not null,
      type text not null,
      actor varchar(64) not null,
      created_at timestamptz not null default now(),
      constraint warehouse_event_warehouse_id_foreign
        foreign key (warehouse_id) references warehouse (id),
      constraint warehouse_event_type check (type in ('ACTIVATED', 'DEACTIVATED'))
    )`);
    // The history of a warehouse, newest first.
    this.addSql('create index warehouse_event_warehouse on warehouse_event (warehouse_id, id)');
    this.addSql(`insert into warehouse_event (id, warehouse_id, type, actor)
      select id, id, case when active then 'ACTIVATED' else 'DEACTIVATED' end, 'migration'
      from warehouse`);
    this.addSql(`create function warehouse_event_append_only_fn() returns trigger as
      $$ begin raise exception 'the history of a warehouse is append-only'; end; $$
      language plpgsql`);
    this.addSql(`create trigger append_only before update or delete on warehouse_event
      for each statement execute function warehouse_event_append_only_fn()`);
  }
}
