import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * Paid units stay on hand until they are shipped: levels have committed, unavailable and buffered
 * units and a shortfall, and there are stock counts.
 *
 * Units that were sold before left `on_hand` at their payment. They are committed now, and those that
 * were returned are cancelled. The order subgraph sends the shipments of orders that are shipped
 * (its migration of the same day).
 */
export class Migration20261127StockStates extends Migration {
  override up(): void {
    this.#extendLevels();
    this.#extendReservations();
    this.#extendMovements();
    this.#commitSoldUnits();
    this.#createStockCounts();
  }

  #extendLevels(): void {
    this.addSql(`alter table stock_level ${noRelease}
      add column committed int not null default 0,
      add column unavailable int not null default 0,
      add column buffer int not null default 0,
      add column shortfall int not null default 0,
      add column counted_at timestamptz,
      drop constraint stock_level_reserved,
      add constraint stock_level_not_negative check (on_hand >= 0 and reserved >= 0
        and committed >= 0 and unavailable >= 0 and buffer >= 0),
      add constraint stock_level_unavailable check (unavailable <= on_hand),
      add constraint stock_level_shortfall
        check (shortfall = greatest(0, reserved + committed + unavailable - on_hand))`);
    this.addSql(`alter table stock_level ${noRelease} alter column is_low_stock set expression as
      (greatest(0, on_hand - reserved - committed - unavailable - buffer) < low_stock_threshold)`);
    // The shortfalls of a shop.
    this.addSql(`create index ${noRelease} stock_level_short on stock_level (shop_id, id)
      where shortfall > 0`);
  }

  #extendReservations(): void {
    this.addSql(`alter table reservation ${noRelease} add column end_reason text`);
    this.addSql(`alter table reservation_line ${noRelease}
      add column shipped int not null default 0,
      add column cancelled int not null default 0,
      drop constraint reservation_line_quantity,
      add constraint reservation_line_quantity check (quantity >= 0),
      add constraint reservation_line_done
        check (shipped >= 0 and cancelled >= 0 and shipped + cancelled <= quantity)`);
    this.addSql(`update reservation_line l ${noRelease} set cancelled = quantity
      where exists (select from stock_movement m where m.reference = l.order_id::text
        and m.level_id = l.level_id and m.type = 'RETURN')`);
  }

  #extendMovements(): void {
    this.addSql(`alter table stock_movement ${noRelease}
      add column committed_delta int not null default 0,
      add column unavailable_delta int not null default 0,
      add column occurred_at timestamptz not null default now(),
      drop constraint stock_movement_type,
      disable trigger append_only`);
    // A SALE took q from on_hand and reserved, a RETURN gave q back.
    this.addSql(`update stock_movement m ${noRelease}
      set occurred_at = created_at,
        type = case type when 'SALE' then 'COMMIT' when 'RETURN' then 'UNCOMMIT' else type end,
        committed_delta = case when type in ('SALE', 'RETURN') then -on_hand_delta else 0 end,
        on_hand_delta = case when type in ('SALE', 'RETURN') then 0 else on_hand_delta end`);
    this.addSql(`alter table stock_movement ${noRelease}
      enable trigger append_only,
      add constraint stock_movement_type check (type in ('RECEIPT', 'ADJUSTMENT', 'RESERVATION',
        'RELEASE', 'COMMIT', 'UNCOMMIT', 'SHIPMENT', 'RETURN', 'UNAVAILABLE', 'TRANSFER_OUT',
        'TRANSFER_IN'))`);
  }

  #commitSoldUnits(): void {
    this.addSql(`update stock_level l ${noRelease}
      set on_hand = on_hand + sold.units, committed = sold.units
      from (select rl.level_id, sum(rl.quantity - rl.cancelled) as units
            from reservation_line rl join reservation r on r.order_id = rl.order_id
            where r.state = 'COMMITTED' group by rl.level_id) sold
      where l.id = sold.level_id`);
  }

  #createStockCounts(): void {
    this.addSql(`create table stock_count (
      id uuid primary key,
      warehouse_id uuid not null,
      status text not null default 'OPEN',
      show_expected boolean not null,
      actor varchar(64) not null,
      opened_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint stock_count_warehouse_id_foreign
        foreign key (warehouse_id) references warehouse (id),
      constraint stock_count_status check (status in ('OPEN', 'SUBMITTED', 'CANCELLED'))
    )`);
    // The counts of a warehouse, newest first.
    this.addSql(`create index stock_count_warehouse on stock_count (warehouse_id, id)`);
    this.addSql(`create table stock_count_line (
      count_id uuid,
      sku varchar(64),
      expected int not null,
      counted int,
      counted_at timestamptz,
      primary key (count_id, sku),
      constraint stock_count_line_count_id_foreign
        foreign key (count_id) references stock_count (id),
      constraint stock_count_line_expected check (expected >= 0),
      constraint stock_count_line_counted
        check (counted >= 0 and (counted is null) = (counted_at is null))
    )`);
  }
}
