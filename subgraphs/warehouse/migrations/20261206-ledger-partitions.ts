import { Migration } from '@mikro-orm/migrations';
import {
  firstPartitionsDdl,
  partitionFunctionsDdl,
} from '../../shared/database/partitions/partition-ddl.js';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/**
 * The ledger is partitioned by month (docs/adr/0041-monthly-partitions.md). What is left of detached partitions
 * is the last movement of each level.
 */
export class Migration20261206LedgerPartitions extends Migration {
  override up(): void {
    for (const statement of partitionFunctionsDdl()) this.addSql(statement);
    this.addSql(`alter table stock_movement ${noRelease} rename to stock_movement_whole`);
    this.addSql(`alter table stock_movement_whole ${noRelease}
      rename constraint stock_movement_pkey to stock_movement_whole_pkey`);
    this.addSql(`drop index stock_movement_reference ${noRelease}`);
    this.addSql(`create table stock_movement (
      like stock_movement_whole including defaults including constraints,
      primary key (shop_id, level_id, id),
      constraint stock_movement_level_id_foreign
        foreign key (shop_id, level_id) references stock_level (shop_id, id)
    ) partition by range (id)`);
    // The movements of an order or a delivery.
    this.addSql(`create index stock_movement_reference on stock_movement (reference)`);
    // Those per row are on each partition as well.
    this.addSql(`create trigger append_only before update or delete on stock_movement
      for each row execute function stock_movement_append_only_fn()`);
    for (const statement of firstPartitionsDdl('stock_movement', 'stock_movement_whole')) {
      this.addSql(statement);
    }
    this.addSql(`insert into stock_movement select * from stock_movement_whole`);
    this.addSql(`drop table stock_movement_whole ${noRelease}`);

    this.addSql(`create table ledger_checkpoint (
      shop_id uuid,
      level_id uuid,
      id uuid not null,
      seq bigint not null,
      on_hand int not null,
      reserved int not null,
      committed int not null,
      unavailable int not null,
      created_at timestamptz(3) not null,
      primary key (shop_id, level_id),
      constraint ledger_checkpoint_level_id_foreign
        foreign key (shop_id, level_id) references stock_level (shop_id, id)
    )`);
  }
}
