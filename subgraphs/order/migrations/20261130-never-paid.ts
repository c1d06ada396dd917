import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * A shop sees nothing of an order that ended before it was paid, whether or not its stock was held. The
 * history of a numbered order cannot be deleted, also not after taking its number away. The times of shipping
 * and delivery of orders from before these were columns are in their history.
 */
export class Migration20261130NeverPaid extends Migration {
  override up(): void {
    this.addSql(`alter table shop_order ${noRelease} rename never_held to never_paid`);
    this.addSql(`update shop_order s ${noRelease} set never_paid = true
      where status = 'CANCELLED' and not never_paid and not exists (
        select from order_event e where e.order_id = s.order_id and e.type = 'CONFIRMED')`);
    this.addSql(`update shop_order s ${noRelease} set
      shipped_at = coalesce(shipped_at, (select min(e.created_at) from order_event e
        where e.shop_order_id = s.id and e.type = 'SHIPPED'), updated_at),
      delivered_at = case when status = 'DELIVERED' then
        coalesce(delivered_at, (select min(e.created_at) from order_event e
          where e.shop_order_id = s.id and e.type = 'DELIVERED'), updated_at) end
      where status in ('SHIPPED', 'DELIVERED')`);
    this.addSql(`create or replace function customer_order_number_is_final_fn() returns trigger
      as $$ begin raise exception 'the number of an order never changes'; end; $$ language plpgsql`);
    this.addSql(`create trigger number_is_final before update on customer_order
      for each row when (old.number is distinct from new.number and old.number is not null)
      execute function customer_order_number_is_final_fn()`);
    this.addSql(`create or replace function order_event_append_only_fn() returns trigger as $$ begin
      if tg_op = 'DELETE' and exists (select from customer_order where id = old.order_id
        and number is null and status = 'CANCELLED' and created_at < now() - interval '7 days')
      then return old; end if;
      raise exception 'the history of an order is append-only'; end; $$ language plpgsql`);
  }
}
