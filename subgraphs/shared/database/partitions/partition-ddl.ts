/*
 * What the migrations of partitioned tables share. They have run on existing databases: a change of a function here
 * needs a new migration that creates the functions again, as `20261210-partition-functions.ts`.
 *
 * A table is partitioned by the month of its UUIDv7 ids: `TABLE_2026_11` has those of November 2026, UTC, and
 * `TABLE_default` those without a partition. The processes have no right to change tables. So both changes are
 * functions that run with the rights of their owner, who ran the migrations. See docs/adr/0041-monthly-partitions.md.
 */

/** The lowest UUID of a time in whole ms: all UUIDv7 ids from then on are higher. */
const firstId = `create or replace function first_id_at(at timestamptz) returns uuid
  language sql immutable strict parallel safe
  return (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;

const begin = `
  if not exists (select from pg_partitioned_table where partrelid = to_regclass(quote_ident(parent))) then
    raise exception '% is not partitioned', parent;
  end if;
  -- Of the role that calls, not of the owner.
  if not has_table_privilege(session_user, to_regclass(quote_ident(parent)), 'insert') then
    raise exception '% may not write to %', session_user, parent using errcode = 'insufficient_privilege';
  end if;
  if month <> date_trunc('month', month::timestamp) then
    raise exception '% is not the first day of a month', month;
  end if;
  -- One at a time. It blocks neither readers nor writers.
  execute format('lock table %I in share update exclusive mode', parent);`;

/**
 * Locks the tables that foreign keys refer to before the partitioned table, as writers do, so that this
 * function does not wait for a writer that waits for it.
 */
const lockReferenced = (mode: string) => `
  for referenced in select distinct confrelid::regclass from pg_constraint
    where conrelid = to_regclass(quote_ident(parent)) and contype = 'f' order by 1
  loop
    execute format('lock table %s in ${mode} mode', referenced);
  end loop;`;

/**
 * Makes the partition of a month, with the rows of that month that are in the default partition. Returns false
 * if there is a table of that name. It copies those rows before it asks for locks that others wait for. A row that
 * is deleted meanwhile comes back, and the foreign keys refuse it: then a later run makes the partition.
 */
const make = `create or replace function make_partition(parent text, month date) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  partition text := parent || to_char(month, '_YYYY_MM');
  lower uuid := first_id_at(month::timestamp at time zone 'UTC');
  upper uuid := first_id_at((month + interval '1 month') at time zone 'UTC');
  copy text := format('insert into %I select * from %I where id >= $1 and id < $2 on conflict do nothing',
    partition, parent || '_default');
  referenced regclass;
  moved boolean;
begin
  ${begin}
  if to_regclass(quote_ident(partition)) is not null then return false; end if;
  execute format('create table %I (like %I including all)', partition, parent);
  execute copy using lower, upper;
  ${lockReferenced('share row exclusive')}
  execute format('lock table %I in share row exclusive mode', parent || '_default');
  execute copy using lower, upper; -- those that were inserted meanwhile
  execute format('select exists (select from %I)', partition) into moved;
  if moved then
    execute format('alter table %I disable trigger user', parent || '_default');
    execute format('delete from %I where id >= $1 and id < $2', parent || '_default') using lower, upper;
    execute format('alter table %I enable trigger user', parent || '_default');
  end if;
  execute format('alter table %I attach partition %I for values from (%L) to (%L)',
    parent, partition, lower, upper);
  return true;
end; $$`;

/**
 * Makes the partition of a month a table of its own, whose rows cannot be changed. It has no foreign keys, so that
 * it can be dropped without a lock on the tables that they refer to. This month and the one before stay attached.
 */
const detach = `create or replace function detach_partition(parent text, month date) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  partition text := parent || to_char(month, '_YYYY_MM');
  referenced regclass;
  key name;
begin
  ${begin}
  if month >= date_trunc('month', now() at time zone 'UTC') - interval '1 month' then
    raise exception 'the partition of % is too recent to be detached', month;
  end if;
  ${lockReferenced('access exclusive')}
  execute format('alter table %I detach partition %I', parent, partition);
  for key in select conname from pg_constraint
    where conrelid = to_regclass(quote_ident(partition)) and contype = 'f'
  loop
    execute format('alter table %I drop constraint %I', partition, key);
  end loop;
  execute format('create trigger detached before insert or update or delete or truncate on %I
    for each statement execute function detached_partition_fn()', partition);
end; $$`;

const refuseChange = `create or replace function detached_partition_fn() returns trigger language plpgsql as
  $$ begin raise exception '% is an archive: it is not changed', tg_table_name; end; $$`;

/** The functions, once for each database. */
export const partitionFunctionsDdl = (): readonly string[] => [firstId, refuseChange, make, detach];

/**
 * Makes the default partition of a new partitioned table, and those of the months from that of the oldest row to
 * come until three months from now.
 *
 * @param rows the table with the rows that it will receive; ids of other versions than 7 go to the default partition
 */
export const firstPartitionsDdl = (table: string, rows: string): readonly string[] => [
  `create table ${table}_default partition of ${table} default`,
  `do $$ declare month timestamp; begin
    for month in select generate_series(
      date_trunc('month', least(now(), (select min(uuid_extract_timestamp(id)) from ${rows}
        where uuid_extract_version(id) = 7 and uuid_extract_timestamp(id) > '2020-01-01')) at time zone 'UTC'),
      date_trunc('month', now() at time zone 'UTC') + interval '3 months', interval '1 month')
    loop
      perform make_partition('${table}', month::date);
    end loop;
  end; $$`,
];
