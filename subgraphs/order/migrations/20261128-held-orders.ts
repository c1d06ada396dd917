import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * An order has a number once its stock is held: until then it is not an order to anybody, and is deleted
 * some days after its end. Orders that exist keep their numbers, except checkouts in progress.
 */
export class Migration20261128HeldOrders extends Migration {
  override up(): void {
    this.addSql(`alter table customer_order
      alter column number drop default, alter column number drop not null`);
    this.addSql(`update customer_order ${noRelease} set number = null
      where status = 'PENDING' and expires_at is null`);
    this.addSql(`alter table customer_order ${noRelease} add constraint customer_order_held
      check (number is not null or (expires_at is null and status in ('PENDING', 'CANCELLED')))`);
    this.addSql(`alter table shop_order add column never_held boolean not null default false`);
    this.addSql(`create or replace function order_event_append_only_fn() returns trigger as $$ begin
      if tg_op = 'DELETE' and exists (select from customer_order
        where id = old.order_id and number is null and status = 'CANCELLED') then return old; end if;
      raise exception 'the history of an order is append-only'; end; $$ language plpgsql`);
    this.addSql(`drop trigger append_only on order_event`);
    this.addSql(`create trigger append_only before update or delete on order_event
      for each row execute function order_event_append_only_fn()`);
    this.addSql(`delete from purchase ${noRelease} where units = 0`);
  }
}
