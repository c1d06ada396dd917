import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Units of a paid line are cancelled in part, and a shop order has any number of refunds. */
export class Migration20261204RefundsOfLines extends Migration {
  override up(): void {
    this.addSql(`alter table order_item add column cancelled_quantity int not null default 0`);
    // The units whose reservation was committed before. Among the VOIDED ones are some whose reservation had
    // ended; of an order without a committed reservation the number is not used.
    this.addSql(`update order_item i ${noRelease} set cancelled_quantity = i.quantity
      from shop_order s where s.id = i.shop_order_id and s.status = 'CANCELLED'
        and (not s.never_paid or exists (select from payment p where p.order_id = s.order_id
          and (p.failure in ('CAPTURE_REFUSED', 'LAPSED')
            or p.status in ('VOIDED', 'COMPLETED', 'REFUNDED'))))`);
    this.addSql(`alter table order_item ${noRelease}
      add constraint order_item_cancelled check (cancelled_quantity >= 0 and cancelled_quantity <= quantity)`);
    // The primary key finds the lines of a refund.
    this.addSql(`create table refund_line (
      refund_id uuid,
      order_item_id uuid,
      quantity int not null,
      replaced int not null default 0,
      created_at timestamptz not null default now(),
      primary key (refund_id, order_item_id),
      constraint refund_line_refund_id_foreign foreign key (refund_id) references refund (id),
      constraint refund_line_order_item_id_foreign
        foreign key (order_item_id) references order_item (id),
      constraint refund_line_quantity check (quantity > 0),
      constraint refund_line_replaced check (replaced >= 0 and replaced <= quantity)
    )`);
    // The units of a line that are refunded.
    this.addSql(`create index refund_line_order_item on refund_line (order_item_id)`);
    this.addSql(`alter table refund add column keys_used_up int not null default 0,
      add column not_before timestamptz`);
    this.addSql(`alter table payment add column declined_at timestamptz`);
    this.addSql(`drop index refund_once ${noRelease}`);
    // One refund of a payment to which nothing was sold.
    this.addSql(`create unique index refund_of_unsold on refund (payment_id) ${noRelease}
      where origin = 'ORDER' and shop_order_id is null`);
  }
}
