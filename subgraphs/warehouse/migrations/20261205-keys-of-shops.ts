import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** Tables whose rows belong to the shop of another row: table → where its shop is found. */
const shopOf = {
  warehouse_event: `select w.shop_id from warehouse w where w.id = t.warehouse_id`,
  stock_movement: `select l.shop_id from stock_level l where l.id = t.level_id`,
  reservation_line: `select l.shop_id from stock_level l where l.id = t.level_id`,
  transfer_line: `select s.shop_id from stock_transfer s where s.id = t.transfer_id`,
  stock_count: `select w.shop_id from warehouse w where w.id = t.warehouse_id`,
} as const;

/** Foreign keys of today, each within one shop from now on: table, constraint, column, target. */
const foreignKeys = [
  ['warehouse_event', 'warehouse_event_warehouse_id_foreign', 'warehouse_id', 'warehouse'],
  ['stock_level', 'stock_level_warehouse_id_foreign', 'warehouse_id', 'warehouse'],
  ['stock_movement', 'stock_movement_level_id_foreign', 'level_id', 'stock_level'],
  ['reservation_line', 'reservation_line_level_id_foreign', 'level_id', 'stock_level'],
  ['stock_transfer', 'stock_transfer_from_id_foreign', 'from_id', 'warehouse'],
  ['stock_transfer', 'stock_transfer_to_id_foreign', 'to_id', 'warehouse'],
  ['transfer_line', 'transfer_line_transfer_id_foreign', 'transfer_id', 'stock_transfer'],
  ['stock_count', 'stock_count_warehouse_id_foreign', 'warehouse_id', 'warehouse'],
  ['stock_count_line', 'stock_count_line_count_id_foreign', 'count_id', 'stock_count'],
] as const;

const primaryKeys = {
  warehouse: 'shop_id, id',
  warehouse_event: 'shop_id, warehouse_id, id',
  stock_level: 'shop_id, id',
  stock_movement: 'shop_id, level_id, id',
  reservation_line: 'order_id, shop_id, level_id',
  stock_transfer: 'shop_id, id',
  transfer_line: 'shop_id, transfer_id, sku',
  stock_count: 'shop_id, id',
  stock_count_line: 'shop_id, count_id, sku',
} as const;

/**
 * Every key of the warehouse database contains the shop, so that a distributed engine can keep all of a shop
 * in one shard (docs/adr/0039-shard-keys.md).
 */
export class Migration20261205KeysOfShops extends Migration {
  override up(): void {
    for (const [table, name] of foreignKeys) {
      this.addSql(`alter table ${table} ${noRelease} drop constraint ${name}`);
    }
    this.#addShops();
    for (const [table, columns] of Object.entries(primaryKeys)) {
      this.addSql(`alter table ${table} ${noRelease} drop constraint ${table}_pkey,
        add primary key (${columns})`);
    }
    this.#exchangeIndexes();
    for (const [table, name, column, target] of foreignKeys) {
      this.addSql(`alter table ${table} ${noRelease} add constraint ${name}
        foreign key (shop_id, ${column}) references ${target} (shop_id, id)`);
    }
  }

  #addShops(): void {
    const appendOnly = ['warehouse_event', 'stock_movement'];
    for (const table of appendOnly) {
      this.addSql(`alter table ${table} ${noRelease} disable trigger append_only`);
    }
    for (const [table, shop] of Object.entries(shopOf)) {
      this.addSql(`alter table ${table} add column shop_id uuid`);
      this.addSql(`update ${table} t ${noRelease} set shop_id = (${shop})`);
      this.addSql(`alter table ${table} ${noRelease} alter column shop_id set not null`);
    }
    this.addSql(`alter table stock_count_line add column shop_id uuid`);
    this.addSql(`update stock_count_line t ${noRelease} set shop_id = (
      select c.shop_id from stock_count c where c.id = t.count_id)`);
    this.addSql(`alter table stock_count_line ${noRelease} alter column shop_id set not null`);
    for (const table of appendOnly) {
      this.addSql(`alter table ${table} ${noRelease} enable trigger append_only`);
    }
    // The shops of a reservation’s lines.
    this.addSql(`alter table reservation add column shop_ids uuid[] not null default '{}'`);
    this.addSql(`update reservation r ${noRelease} set shop_ids = lines.shop_ids
      from (select order_id, array_agg(distinct shop_id order by shop_id) as shop_ids
            from reservation_line group by order_id) lines
      where lines.order_id = r.order_id`);
  }

  #exchangeIndexes(): void {
    // Replaced by primary keys.
    this.addSql(`drop index warehouse_shop ${noRelease}`);
    this.addSql(`drop index warehouse_event_warehouse ${noRelease}`);
    this.addSql(`drop index stock_movement_level ${noRelease}`);
    this.addSql(`drop index stock_transfer_shop ${noRelease}`);
    // By id alone, as the API names them.
    for (const table of ['warehouse', 'stock_level', 'stock_transfer', 'stock_count']) {
      this.addSql(`create index ${noRelease} ${table}_by_id on ${table} (id)`);
    }
    // A variant in one shop, or in one warehouse.
    this.addSql(`alter table stock_level ${noRelease} drop constraint stock_level_sku_warehouse,
      add constraint stock_level_place unique (shop_id, sku, warehouse_id)`);
    this.addSql(`drop index stock_level_item ${noRelease}`);
    this.addSql(`drop index stock_level_warehouse ${noRelease}`);
    this.addSql(`drop index stock_level_low_warehouse ${noRelease}`);
    // The stock of a warehouse.
    this.addSql(`create index ${noRelease} stock_level_warehouse
      on stock_level (shop_id, warehouse_id, id)`);
    // Warehouse.stockLevels(lowOnly: true)
    this.addSql(`create index ${noRelease} stock_level_low_warehouse
      on stock_level (shop_id, warehouse_id, id) where is_low_stock`);
    // The reservations of a level.
    this.addSql(`drop index reservation_line_level ${noRelease}`);
    this.addSql(`create index ${noRelease} reservation_line_level
      on reservation_line (shop_id, level_id)`);
    // The counts of a warehouse, newest first.
    this.addSql(`drop index stock_count_warehouse ${noRelease}`);
    this.addSql(`create index ${noRelease} stock_count_warehouse
      on stock_count (shop_id, warehouse_id, id)`);
  }
}
